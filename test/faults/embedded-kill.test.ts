import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createEmbeddedStore, createLogger, type Store } from "@taskwire/server/testing";
import { expect, test } from "vitest";
import { DEFAULT_OPTIONS, HeardEvents } from "../store/backend.ts";
import { ack, claimAll, counters, QUEUE, settleAll } from "../store/tasks.ts";

const PRODUCER = "0123456789abcdef";
const KILLS_PER_STORE = 10;
const MAX_LINES = 400;
const MAX_DELAY_MS = 5;

/** What one store has promised, over all its processes. */
class Promises {
  /** Of each batch. */
  readonly keys = new Map<number, readonly string[]>();
  /** How each task was last settled. */
  readonly outcomes = new Map<string, string>();
  lastSent = 1;

  hear(line: string): void {
    const [word = "", second = "", ...keys] = line.split(" ");
    if (word === "sending") {
      this.lastSent = Number(second);
    } else if (word === "enqueued") {
      const before = this.keys.get(Number(second));
      if (before) expect(keys, `batch ${second} is answered as the first time`).toEqual(before);
      this.keys.set(Number(second), keys);
    } else {
      expect(this.outcomes.get(second) ?? "none", `${second} is not settled after its end`).not.toMatch(
        /ack|bury|discard/,
      );
      this.outcomes.set(second, word);
    }
  }
}

test.for([1, 2])(
  "an embedded store that is killed again and again keeps what it promised, and takes no task twice (%i)",
  { timeout: 60_000 },
  async (_, { onTestFinished }) => {
    const dir = await mkdtemp(join(tmpdir(), "taskwire-kill-"));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const promises = new Promises();

    for (let kill = 0; kill < KILLS_PER_STORE; kill++) {
      await workUntilKilled(dir, promises);
      await expectKept(dir, promises);
    }

    await expectEachOnce(dir, promises);
  },
);

/** The store does not say when it is about to write: any moment may be the bad one. */
async function workUntilKilled(dir: string, promises: Promises): Promise<void> {
  const program = fileURLToPath(new URL("embedded-killed.ts", import.meta.url));
  const args = ["--conditions=source", "--import", "tsx", program, dir, PRODUCER, String(promises.lastSent)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const enough = 20 + Math.random() * MAX_LINES;
  let said = "";
  let isDoomed = false;
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    said += chunk;
    if (isDoomed || said.split("\n").length < enough) continue;
    isDoomed = true;
    setTimeout(() => child.kill("SIGKILL"), Math.random() * MAX_DELAY_MS);
  }
  await exited;
  // A line that was cut was not said.
  for (const line of said.split("\n").slice(0, -1)) promises.hear(line);
}

async function expectKept(dir: string, promises: Promises): Promise<void> {
  const store = await open(dir);
  const ends: Record<string, string> = { ack: "completed", bury: "dead", discard: "cancelled" };
  for (const key of [...promises.keys.values()].flat()) {
    const outcome = promises.outcomes.get(key) ?? "";
    const found = await store.find(QUEUE, key);
    if (!found) throw new Error(`${key} was enqueued, settled as "${outcome}", and is lost`);
    if (ends[outcome]) expect(found.state, key).toBe(ends[outcome]);
    if (outcome === "retry") expect(found.attempt, key).toBeGreaterThan(1);
    if (outcome === "lose") expect(found.lostCount, key).toBeGreaterThan(0);
  }
  await store.stop();
}

/** Takes out all that is left, and looks whether every task that was ever accepted came to one end. */
async function expectEachOnce(dir: string, promises: Promises): Promise<void> {
  const store = await open(dir);
  const bodies = new Map<string, string>(
    [...promises.keys].flatMap(([sequence, keys]) =>
      keys.map((key, i) => [`${PRODUCER}-${sequence}-${i}`, key] as const),
    ),
  );
  expect(bodies.size).toBeGreaterThan(100);
  const rest = await claimAll(store);
  expect(new Set(rest.map(({ body }) => String(body))).size, "no task twice").toBe(rest.length);
  for (const { body, key } of rest) {
    expect(bodies.get(String(body)) ?? key, "no task under a second key").toBe(key);
    expect(promises.outcomes.get(key) ?? "", "nothing that has ended comes again").not.toMatch(/ack|bury|discard/);
  }
  expect(new Set(await settleAll(store, rest, ack()))).toEqual(new Set(["settled"]));
  const { enqueued, completed, failed, retried, ready, active, scheduled, dead } = await counters(store);
  expect({ ready, active, scheduled }).toEqual({ ready: 0, active: 0, scheduled: 0 });
  expect(completed + failed - retried, "one end for each task").toBe(enqueued);
  expect(dead).toBeLessThanOrEqual(failed - retried);
  await store.stop();
}

async function open(dir: string): Promise<Store> {
  const store = createEmbeddedStore({ ...DEFAULT_OPTIONS, dir, logger: createLogger("silent", false) });
  await store.start(new HeardEvents());
  return store;
}
