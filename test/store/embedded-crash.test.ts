import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createEmbeddedStore, createLogger, type Store } from "@taskwire/server/testing";
import { test as base, describe, expect } from "vitest";
import { until } from "../support/until.ts";
import { DEFAULT_OPTIONS, HeardEvents } from "./backend.ts";
import { ack, claimAll, counters, keysOf, QUEUE, settleAll } from "./tasks.ts";

const logger = createLogger("silent", false);

const test = base.extend<{ dir: string }>({
  dir: async ({}, use) => {
    const dir = await mkdtemp(join(tmpdir(), "taskwire-crash-"));
    await use(dir);
    await rm(dir, { recursive: true, force: true });
  },
});

describe("an embedded store whose process is killed", () => {
  test("keeps what it promised, three times in a row", { timeout: 60_000 }, async ({ dir }) => {
    const enqueued = new Map<string, string>();
    const completed = new Set<string>();

    for (const lines of [50, 3_000, 500]) {
      for (const line of await promisesUntilKilled(dir, lines)) {
        const [what, key = "", body = ""] = line.split(" ");
        if (what === "enqueued") enqueued.set(key, body);
        else completed.add(key);
      }
    }

    const store = await open(dir);
    await until("what was delayed is due", async () => {
      await store.promote(QUEUE, 100_000);
      return (await counters(store)).scheduled === 0;
    });
    await expectKept(store, enqueued, completed);
    const rest = await claimAll(store);
    for (const { key, body } of rest) {
      expect(completed.has(key), `${key} is completed, and must not come again`).toBe(false);
      if (enqueued.has(key)) expect(body.toString().replace(" ", "-")).toBe(enqueued.get(key));
    }
    expect(new Set(keysOf(rest)).size).toBe(rest.length);
    expect(new Set(await settleAll(store, rest, ack()))).toEqual(new Set(["settled"]));
    const { enqueued: accepted, completed: done, ready, active } = await counters(store);
    expect({ done, ready, active }).toEqual({ done: accepted, ready: 0, active: 0 });
    await store.stop();
  });

  test("is not opened while another process has it", async ({ dir }) => {
    const writer = startWriter(dir);
    await once(createInterface(writer.stdout), "line");

    await expect(open(dir)).rejects.toThrow(/another|in use|locked/);

    await kill(writer);
    const store = await open(dir);
    await store.stop();
  });
});

async function expectKept(
  store: Store,
  enqueued: ReadonlyMap<string, string>,
  completed: ReadonlySet<string>,
): Promise<void> {
  expect(enqueued.size).toBeGreaterThan(100);
  expect(completed.size).toBeGreaterThan(50);
  for (const [key, body] of enqueued) {
    const found = await store.find(QUEUE, key);
    if (found?.body) expect(Buffer.from(found.body).toString().replace(" ", "-")).toBe(body);
    if (completed.has(key)) expect(found?.state).toBe("completed");
    else expect(["ready", "completed"]).toContain(found?.state);
  }
}

async function open(dir: string): Promise<Store> {
  const store = createEmbeddedStore({ ...DEFAULT_OPTIONS, dir, logger });
  await store.start(new HeardEvents());
  return store;
}

/** Lets a writer work, kills it after so many lines, and answers all the lines that it wrote. */
async function promisesUntilKilled(dir: string, lines: number): Promise<string[]> {
  const writer = startWriter(dir);
  const heard: string[] = [];
  for await (const line of createInterface(writer.stdout)) {
    heard.push(line);
    if (heard.length === lines) writer.kill("SIGKILL");
  }
  await kill(writer);
  // The last line may be cut.
  return heard.slice(0, -1);
}

function startWriter(dir: string) {
  const program = fileURLToPath(new URL("embedded-writer.ts", import.meta.url));
  const args = ["--conditions=source", "--import", "tsx", program, dir];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
