import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callerKey, createEmbeddedStore, createLogger, type Durability, type Store } from "@taskwire/server/testing";
import { test as base, describe, expect } from "vitest";
import { until } from "../support/until.ts";
import { DEFAULT_OPTIONS, HeardEvents } from "./backend.ts";
import { ack, bury, claim, claimAll, errorCode, keysOf, newTask, newTasks, QUEUE, settle, settleAll } from "./tasks.ts";

const logger = createLogger("silent", false);
const TASKS = 600;
const FLIPS = 120;
const PAGE = 4_096;

const test = base.extend<{ dir: string }>({
  dir: async ({}, use) => {
    const dir = await mkdtemp(join(tmpdir(), "taskwire-open-"));
    await use(dir);
    await rm(dir, { recursive: true, force: true });
  },
});

describe("a damaged embedded store", () => {
  test("is refused by name, wherever a bit is flipped, or has every task", { timeout: 60_000 }, async ({ dir }) => {
    const file = await fill(dir);
    const sound = await readFile(file);
    let refused = 0;
    for (const [i, at] of placesToFlip(sound.length).entries()) {
      const damaged = Buffer.from(sound);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (i % 8));
      await writeFile(file, damaged);

      const tasks = await countTasks(dir).catch((error: Error) => error.message);

      if (tasks === TASKS) continue;
      refused++;
      expect(tasks, `byte ${at}`).toContain(`${file} is damaged`);
    }
    expect(refused).toBeGreaterThan(FLIPS / 5);
  });

  test("is refused by name when its file was cut", async ({ dir }) => {
    const file = await fill(dir);
    const sound = join(dir, "sound");
    await copyFile(file, sound);
    for (const length of [100, 5_000, 10_000, 50_000]) {
      await copyFile(sound, file);
      await truncate(file, length);

      await expect(open(dir), `${length} bytes`).rejects.toThrow(`${file} is damaged`);
    }
  });
});

describe("an embedded store", () => {
  test("is opened by one store at a time", async ({ dir }) => {
    const first = await open(dir);

    await expect(open(dir)).rejects.toThrow(`in use by another broker, process ${process.pid}`);

    await first.stop();
    await (await open(dir)).stop();
  });

  test("takes over the lock of a process that is dead", async ({ dir }) => {
    for (const lock of [
      "",
      "999999999 gone\n",
      `${process.pid} another-boot:1\n`,
      `${process.ppid} another-boot:1\n`,
    ]) {
      await writeFile(join(dir, "lock"), lock);
      await (await open(dir)).stop();
    }
  });

  // Elsewhere the system does not tell when a process began, and whether it is dead.
  test.runIf(process.platform === "linux")(
    "takes over the lock of one that was killed, though its parent has not noticed",
    async ({ dir }) => {
      // The program that the shell becomes never asks for its child.
      const parent = spawn("sh", ["-c", "sleep 1000 & echo $!; exec sleep 1000"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      try {
        const [line] = await once(parent.stdout, "data");
        const pid = Number(String(line));
        const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
        const fields = async () => (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
        await writeFile(join(dir, "lock"), `${pid} ${boot}:${(await fields())[19]}\n`);
        await expect(open(dir)).rejects.toThrow(`in use by another broker, process ${pid}`);

        process.kill(pid, "SIGKILL");
        await until("it is dead", async () => (await fields())[0] === "Z");

        await (await open(dir)).stop();
      } finally {
        parent.kill("SIGKILL");
      }
    },
  );

  test("refuses to promise more than one disk can keep", async ({ dir }) => {
    await expect(open(dir, "replicated")).rejects.toThrow(/redis/);

    const store = await open(dir, "fsync");
    expect(store.durability).toBe("fsync");
    await store.stop();
  });
});

test("an embedded store that stops tells those who wait for a task", async ({ dir }) => {
  const store = await open(dir);
  const [task] = await store.enqueue(QUEUE, newTasks(1));
  const waiting = store.untilEnded(QUEUE, task?.key ?? "", new AbortController().signal);
  await store.find(QUEUE, task?.key ?? "");

  const stopped = store.stop();

  expect(await errorCode(waiting)).toBe("STORE_UNAVAILABLE");
  await stopped;
});

test("an embedded store that is started again makes no lease a second time", async ({ dir }) => {
  const store = await open(dir);
  await store.enqueue(QUEUE, newTasks(2));
  const [before] = await claimAll(store);

  await store.stop();
  await store.start(new HeardEvents());

  await claimAll(store);
  expect(before && (await settle(store, before, ack()))).toBe("stale");
  await store.stop();
});

test("a claim between two calls of one tick takes what came before it, and no more", async ({ dir }) => {
  const store = await open(dir);

  const first = store.enqueue(QUEUE, newTasks(2, "before"));
  const held = claim(store);
  const second = store.enqueue(QUEUE, newTasks(2, "after"));

  expect(keysOf(await held)).toEqual(keysOf(await first));
  expect(keysOf(await claim(store))).toEqual(keysOf(await second));
  await store.stop();
});

/** Places all over the file, and those at the head of each page by which LMDB finds its way. */
function placesToFlip(length: number): number[] {
  const spread = Array.from({ length: FLIPS }, (_, i) => Math.floor(((i + 0.5) * length) / FLIPS) + (i % 64));
  const pages = Array.from({ length: Math.floor(length / PAGE) }, (_, i) => i * PAGE);
  return [...spread, ...pages.flatMap((page) => [0, 18, 21, 25, 27].map((offset) => page + offset))];
}

/** Makes a store with tasks of every kind; returns its file. */
async function fill(dir: string): Promise<string> {
  const store = await open(dir);
  for (let i = 0; i < TASKS / 10; i++) {
    const others = [
      newTask(`named ${i}`, { key: callerKey(`order-${i}`) }),
      newTask(`urgent ${i}`, { priority: 1 }),
      newTask("large", { body: Buffer.alloc(5_000, i) }),
    ];
    await store.enqueue(QUEUE, [...newTasks(7, `batch ${i}`), ...others]);
  }
  await store.enqueue(QUEUE, newTasks(20, "to end"));
  const held = (await claimAll(store)).filter(({ body }) => body.toString().startsWith("to end"));
  await settleAll(store, held.slice(0, 10), ack("fine"));
  await settleAll(store, held.slice(10), bury());
  await store.stop();
  return join(dir, "tasks.mdb");
}

async function countTasks(dir: string): Promise<number> {
  const store = await open(dir);
  try {
    let count = 0;
    for (let held = await claim(store); held.length > 0; held = await claim(store)) count += held.length;
    return count;
  } finally {
    await store.stop();
  }
}

async function open(dir: string, requireDurability: Durability = "volatile"): Promise<Store> {
  const store = createEmbeddedStore({ ...DEFAULT_OPTIONS, dir, logger, requireDurability });
  await store.start(new HeardEvents());
  return store;
}
