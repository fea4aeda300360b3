/** The systems that are measured: each with a store of its own, made for one row and deleted after it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Broker, startBroker } from "../../test/load/broker.ts";
import type { Target } from "../../test/load/protocol.ts";
import {
  type Producer,
  startProducer,
  startVisitor,
  startWorker,
  type Visitor,
  type WorkerProcess,
} from "../../test/load/roles.ts";
import { type RedisServer, startRedis } from "../../test/support/redis.ts";
import { closing } from "./closing.ts";
import { anonymousBytesOf, diskBytesOf } from "./process-stats.ts";
import type { Settings, SystemName } from "./settings.ts";

export const TITLES: Readonly<Record<SystemName, string>> = {
  "redis-everysec": "Taskwire, Redis everysec",
  "redis-always": "Taskwire, Redis always",
  embedded: "Taskwire, embedded",
  bullmq: "BullMQ, Redis everysec",
};

/** A system that runs, without producers and workers. */
export interface System {
  readonly name: SystemName;
  readonly target: Target;
  /** The handlers that its worker runs at a time. */
  readonly concurrency: number;
  readonly brokers: readonly Broker[];
  readonly redisPid: number | undefined;
  startProducer(): Promise<Producer>;
  startWorker(options?: WorkerChoice): Promise<WorkerProcess>;
  startBroker(flags?: readonly string[]): Promise<Broker>;
  /** Comes to the HTTP door of the first broker. */
  startVisitor(): Promise<Visitor>;
  /** Bytes of the store: memory in use of Redis, or memory of the broker and its files. */
  storeBytes(): Promise<number | undefined>;
  close(): Promise<void>;
}

export interface WorkerChoice {
  readonly target?: Target;
  readonly execArgv?: readonly string[];
}

export interface SystemChoice {
  /** @defaultValue 1; BullMQ has none */
  readonly brokers?: number;
  /** Options of Node for the brokers. */
  readonly execArgv?: readonly string[];
}

interface StoreProcess {
  readonly brokerFlags: readonly string[];
  readonly redis: RedisServer | undefined;
  readonly redisPid: number | undefined;
  bytes(broker: Broker | undefined): Promise<number | undefined>;
}

export async function startSystem(
  name: SystemName,
  settings: Settings,
  { brokers: brokerCount = 1, execArgv = [] }: SystemChoice = {},
): Promise<System> {
  const ends: (() => Promise<void>)[] = [];
  const opened = <Thing>(thing: Thing, end: () => Promise<unknown>) => {
    ends.push(closing(end));
    return thing;
  };
  const store = await (name === "embedded" ? openFolder(opened) : openRedis(name, opened));
  const newBroker = async (flags: readonly string[] = []) => {
    const broker = await startBroker([...store.brokerFlags, ...flags], execArgv);
    return opened(broker, broker.kill);
  };
  const brokers = name === "bullmq" ? [] : await Promise.all(Array.from({ length: brokerCount }, () => newBroker()));
  const target: Target =
    name === "bullmq"
      ? { kind: "bullmq", redisPort: store.redis?.port ?? 0 }
      : { kind: "taskwire", addresses: brokers.map(({ address }) => address) };
  return {
    name,
    target,
    concurrency: name === "bullmq" ? settings.concurrency.bullmq : settings.concurrency.taskwire,
    brokers,
    redisPid: store.redisPid,
    startProducer: async () => {
      const producer = startProducer(target, settings.payload);
      return opened(producer, producer.kill);
    },
    startWorker: async ({ target: other = target, execArgv: options = [] } = {}) => {
      const worker = startWorker(other, options);
      return opened(worker, worker.kill);
    },
    startBroker: newBroker,
    startVisitor: async () => {
      const visitor = startVisitor(brokers[0]?.httpAddress ?? "");
      return opened(visitor, visitor.kill);
    },
    storeBytes: () => store.bytes(brokers[0]),
    close: async () => {
      for (const end of ends.reverse()) await end();
    },
  };
}

type Opened = <Thing>(thing: Thing, end: () => Promise<unknown>) => Thing;

async function openFolder(opened: Opened): Promise<StoreProcess> {
  const folder = await mkdtemp(join(tmpdir(), "taskwire-bench-"));
  opened(folder, () => rm(folder, { recursive: true, force: true }));
  return {
    brokerFlags: ["--store", "embedded", "--data-dir", join(folder, "data")],
    redis: undefined,
    redisPid: undefined,
    bytes: async (broker) => {
      const memory = await anonymousBytesOf(broker?.pid ?? 0);
      return memory === undefined ? undefined : memory + (await diskBytesOf(folder));
    },
  };
}

async function openRedis(name: SystemName, opened: Opened): Promise<StoreProcess> {
  const redis = await startRedis({ appendfsync: name === "redis-always" ? "always" : "everysec" });
  opened(redis, redis.destroy);
  const client = redis.connect();
  opened(client, async () => client.disconnect());
  const numberIn = async (section: string, field: string) =>
    Number(new RegExp(`^${field}:(\\d+)`, "m").exec(await client.info(section))?.[1]);
  return {
    brokerFlags: ["--store", "redis", "--redis-url", redis.url, "--namespace", "bench"],
    redis,
    redisPid: await numberIn("server", "process_id"),
    bytes: () => numberIn("memory", "used_memory"),
  };
}
