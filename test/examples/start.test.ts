/** `npm start` on free ports: how it ends, and that it leaves no process behind. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, expect } from "vitest";
import { type Program, startProgram } from "../support/program.ts";
import { until } from "../support/until.ts";

const FREE_PORTS = ["--grpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"];
const FAST = ["--email-every-ms", "1", "--image-delay-ms", "1000"];

interface Run extends Program {
  /** The processes that it started and that are alive. */
  children(): Promise<number[]>;
}

/** Every process that a run of the present test was seen to start. */
const known = new Set<number>();

const test = base.extend<{ start: (...args: readonly string[]) => Run }>({
  start: async ({}, use) => {
    const runs: Run[] = [];
    known.clear();
    // A run that is killed cannot remove its folder.
    const dir = await mkdtemp(join(tmpdir(), "taskwire-test-"));
    await use((...args) => {
      const run = launch(args, dir);
      runs.push(run);
      return run;
    });
    for (const run of runs) await run.terminate();
    // What a failed test is about must not outlive it.
    for (const pid of known) endIfAlive(pid);
    await rm(dir, { recursive: true, force: true });
  },
});

test("--once brings 110 tasks to their end, each failed attempt retried, and leaves with 0", async ({ start }) => {
  const run = start("--once", ...FREE_PORTS, ...FAST);

  expect(await run.ended, run.output()).toBe(0);

  const [, completed] =
    /All ended\. (\d+) tasks completed; (?:no attempt failed|\d+ failed attempts?, )/.exec(run.output()) ?? [];
  const [, dead = 0] = /(\d+) dead, out of retries/.exec(run.output()) ?? [];
  expect(Number(completed) + Number(dead)).toBe(110);
});

test("without --once it tells what to try, stays, and leaves with 0 when it is asked to", async ({ start }) => {
  const run = start(...FREE_PORTS, ...FAST);
  await until("it says what to try", () => run.output().includes("taskwire.v1.TaskService/Enqueue"), {
    withinMs: 60_000,
  });
  const children = await run.children();
  expect(children).toHaveLength(2);
  const [, http = ""] = /curl (http:\S+\/stats)/.exec(run.output()) ?? [];
  expect(await (await fetch(http)).json()).toMatchObject({ stats: { total: { enqueued: "110" } } });

  run.interrupt();

  expect(await run.ended, run.output()).toBe(0);
  expect(children.filter(isAlive)).toEqual([]);
});

test.for(["--grpc-listen", "--http-listen"])(
  "a port that is taken is named, with %s as the way to choose another",
  async (flag, { start }) => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || !address) throw new Error("not a TCP port");

    const run = start(...FREE_PORTS, flag, `127.0.0.1:${address.port}`);

    expect(await run.ended).toBe(1);
    expect(run.output()).toContain(`127.0.0.1:${address.port} is taken by another program`);
    expect(run.output()).toContain(`npm start -- ${flag} `);
    server.close();
  },
);

test("a process that dies ends the others, and the exit code is 1", async ({ start }) => {
  const run = start(...FREE_PORTS);
  const children = await threeOf(run);

  process.kill(children[1] ?? 0, "SIGKILL");

  expect(await run.ended).toBe(1);
  expect(run.output()).toContain("the worker was ended by SIGKILL");
  expect(children.filter(isAlive)).toEqual([]);
});

test("a second signal ends all at once", async ({ start }) => {
  const run = start(...FREE_PORTS);
  const children = await threeOf(run);

  run.interrupt();
  await until("the first is heard", () => run.output().includes("Stopping"));
  run.interrupt();

  // Which of the two it is depends on whether all had left before the second signal came.
  expect([0, 130]).toContain(await run.ended);
  await until("no process is left", () => !children.some(isAlive));
});

test("kill -9 leaves no process behind", async ({ start }) => {
  const run = start(...FREE_PORTS);
  const children = await threeOf(run);

  await run.kill();

  await until("no process is left", () => !children.some(isAlive), { withinMs: 20_000 });
});

test("a wrong option is named, with all that there are", async ({ start }) => {
  const run = start("--email-every-ms", "soon");

  expect(await run.ended).toBe(2);
  expect(run.output()).toMatch(/--email-every-ms is soon: [\s\S]*--once/);
});

function launch(args: readonly string[], tempDir: string): Run {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(TASKWIRE_|npm_)/.test(name)));
  const run = startProgram(["--import", "tsx", "scripts/start.ts", ...args], { env: { ...env, TMPDIR: tempDir } });
  return { ...run, children: () => childrenOf(run.pid) };
}

/** Broker, worker and producer, in the order in which they were started, once the worker works. */
async function threeOf(run: Run): Promise<number[]> {
  await until("it runs", () => run.output().includes("running"), { withinMs: 30_000 });
  const children = await run.children();
  expect(children).toHaveLength(3);
  return children;
}

async function childrenOf(parent: number): Promise<number[]> {
  const ps = spawn("ps", ["-Ao", "pid=,ppid=,args="], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const chunk of ps.stdout) text += chunk;
  const children = [...text.matchAll(/^\s*(\d+)\s+(\d+)\s+.*leash\.mjs/gm)]
    .filter(([, , ppid]) => Number(ppid) === parent)
    .map(([, pid]) => Number(pid))
    .toSorted((a, b) => a - b);
  for (const pid of children) known.add(pid);
  return children;
}

function endIfAlive(pid: number): void {
  if (isAlive(pid)) process.kill(pid, "SIGKILL");
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
