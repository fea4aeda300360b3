/** The fixtures of the fault tests: processes that are killed, frozen and cut off, and always cleaned up. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@taskwire/client";
import { test } from "vitest";
import { type BrokerProcess, type BrokerSettings, startBroker } from "../support/broker.ts";
import { type FaultyProxy, startProxy } from "../support/proxy.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { connect, type Rpc } from "../support/rpc.ts";
import { startWorker, type WorkerProcess, type WorkerSettings } from "../support/told-worker.ts";

export interface FaultFixtures {
  readonly queue: string;
  /** A Redis that syncs each write. */
  readonly startRedis: () => Promise<RedisServer>;
  readonly startBroker: (settings?: BrokerSettings) => Promise<BrokerProcess>;
  /** Takes tasks of `queue`. */
  readonly startWorker: (settings: Omit<WorkerSettings, "queue">) => Promise<WorkerProcess>;
  /** All workers that were started. */
  readonly workers: readonly WorkerProcess[];
  readonly startProxy: (target: string) => Promise<FaultyProxy>;
  readonly connectTo: (broker: BrokerProcess) => Rpc;
  readonly produce: (addresses: readonly string[], load: Load) => Promise<string[]>;
  /** A folder that is gone after the test. */
  readonly folder: string;
}

/** Tasks to enqueue. */
export interface Load {
  readonly count: number;
  /** How long each takes. */
  readonly ms: number;
  /** How long the producer waits between two tasks; at most, since timers are not exact. */
  readonly everyMs?: number;
  readonly deadly?: boolean;
  readonly timeoutMs?: number;
  /** How long a failed attempt waits for the next. */
  readonly retryMs?: number;
  /** Called after each task that was handed to the client. */
  readonly onTask?: (n: number) => void;
}

export const faultTest = test.extend<FaultFixtures & { cleanups: (() => Promise<unknown> | undefined)[] }>({
  cleanups: async ({}, use) => {
    const cleanups: (() => Promise<unknown> | undefined)[] = [];
    await use(cleanups);
    for (const cleanup of cleanups.reverse()) await cleanup();
  },
  queue: async ({}, use) => use(`q-${randomBytes(6).toString("hex")}`),
  folder: async ({ cleanups }, use) => {
    const folder = await mkdtemp(join(tmpdir(), "taskwire-faults-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    await use(folder);
  },
  startRedis: async ({ cleanups }, use) =>
    use(async () => {
      const redis = await startRedis();
      cleanups.push(() => redis.destroy());
      return redis;
    }),
  startBroker: async ({ cleanups, folder }, use) =>
    use(async (settings = {}) => {
      const broker = await startBroker({ dataDir: join(folder, "data"), ...settings });
      cleanups.push(() => broker.kill());
      return broker;
    }),
  workers: async ({}, use) => use([]),
  startWorker: async ({ cleanups, queue, workers }, use) =>
    use(async (settings) => {
      const worker = await startWorker({ ...settings, queue });
      // The one place that adds to it.
      (workers as WorkerProcess[]).push(worker);
      cleanups.push(() => worker.kill());
      return worker;
    }),
  startProxy: async ({ cleanups }, use) =>
    use(async (target) => {
      const proxy = await startProxy(target);
      cleanups.push(() => proxy.close());
      return proxy;
    }),
  connectTo: async ({ cleanups }, use) =>
    use(({ address }) => {
      const rpc = connect(address);
      cleanups.push(async () => rpc.close());
      return rpc;
    }),
  produce: async ({ cleanups, queue }, use) =>
    use(async (addresses, load) => {
      const client = new Client({ address: addresses, deadlineMs: 45_000 });
      cleanups.push(() => client.close());
      const enqueued = await client.enqueueMany(tasksOf(queue, load));
      return enqueued.map(({ taskId }) => taskId);
    }),
});

async function* tasksOf(
  queue: string,
  { count, ms, everyMs = 0, deadly = false, timeoutMs, retryMs = 10, onTask }: Load,
) {
  for (let n = 1; n <= count; n++) {
    const retry = { backoff: "fixed", baseMs: retryMs } as const;
    yield { type: "work", payload: { ms, deadly }, queue, retry, ...(timeoutMs ? { timeoutMs } : {}) };
    onTask?.(n);
    if (everyMs > 0) await sleep(everyMs);
  }
}
