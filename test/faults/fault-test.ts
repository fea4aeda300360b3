/** The fixtures of the fault tests: processes that are killed, frozen and cut off, and always cleaned up. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@taskwire/client";
import { test } from "vitest";
import { type BrokerProcess, type BrokerSettings, startBroker } from "../support/broker.ts";
import { type FaultyProxy, startProxy } from "../support/proxy.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { connect, type Rpc } from "../support/rpc.ts";
import { startWorker, type WorkerProcess, type WorkerSettings } from "../support/worker.ts";

export type StoreKind = "embedded" | "redis";

export interface FaultFixtures {
  readonly queue: string;
  /** A Redis that syncs each write. */
  readonly startRedis: () => Promise<RedisServer>;
  /** The settings of a broker on such a store, which is empty. */
  readonly newStore: (kind: StoreKind) => Promise<BrokerSettings>;
  /** On an embedded store unless the settings name another. */
  readonly startBroker: (settings?: BrokerSettings) => Promise<BrokerProcess>;
  /** Takes tasks of `queue`. */
  readonly startWorker: (settings: Omit<WorkerSettings, "queue">) => Promise<WorkerProcess>;
  /** All workers that were started. */
  readonly workers: readonly WorkerProcess[];
  readonly startProxy: (target: string) => Promise<FaultyProxy>;
  readonly connectTo: (broker: BrokerProcess) => Rpc;
  /** Enqueues tasks, one call each, all at the same time; resolves with their ids. */
  readonly produce: (broker: BrokerProcess, load: Load) => Promise<string[]>;
}

/** Tasks to enqueue. */
export interface Load {
  readonly count: number;
  /** How long each takes. */
  readonly ms: number;
  /** It kills its worker. */
  readonly deadly?: boolean;
  readonly timeoutMs?: number;
  /** How long a failed attempt waits for the next. */
  readonly retryMs?: number;
}

interface Inner {
  readonly cleanups: (() => Promise<unknown> | undefined)[];
  /** A folder that is gone after the test. */
  readonly folder: string;
}

export const faultTest = test.extend<FaultFixtures & Inner>({
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
  newStore: async ({ folder, startRedis }, use) =>
    use(async (kind) => (kind === "redis" ? onRedis(await startRedis()) : { dataDir: join(folder, "store") })),
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
    use(async ({ address }, { count, ms, deadly = false, timeoutMs = 20_000, retryMs = 10 }) => {
      const client = new Client({ address, deadlineMs: 45_000 });
      cleanups.push(() => client.close());
      const options = { queue, timeoutMs, maxRetries: 9, retry: { backoff: "fixed", baseMs: retryMs } } as const;
      const calls = Array.from({ length: count }, () => client.enqueue("work", { ms, deadly }, options));
      return (await Promise.all(calls)).map(({ taskId }) => taskId);
    }),
});

export function onRedis({ url }: RedisServer): BrokerSettings {
  return { store: "redis", redisUrl: url };
}
