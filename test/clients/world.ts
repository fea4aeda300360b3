/** What a step of the scenario has at hand. All of it is gone when the step is over. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Counters, TaskState } from "@taskwire/proto";
import { type BrokerProcess, type BrokerSettings, startBroker } from "../support/broker.ts";
import { type FaultyProxy, startProxy } from "../support/proxy.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { connect, type Rpc } from "../support/rpc.ts";
import { until } from "../support/until.ts";
import {
  type Ended,
  type Enqueue,
  type Producer,
  startProducer,
  startWorker,
  type Worker,
  type WorkerOptions,
} from "./driver.ts";
import type { Language } from "./languages.ts";

export interface World {
  readonly language: Language;
  /** One of its own. */
  readonly queue: string;
  /** The address of a broker with an embedded store, which other steps use, too. */
  readonly address: string;
  /** Enqueues one task for each payload; by default one that is empty. Resolves with the ids. */
  enqueue(type: string, options?: Partial<Enqueue> & { readonly address?: string }): Promise<readonly string[]>;
  /** Enqueues one task, and resolves with how it ended. */
  outcome(type: string, options?: Partial<Enqueue>): Promise<Ended>;
  /** Waits for the end of a task. */
  end(taskId: string, address?: string): Promise<Ended>;
  /** The producer in this language, or another. */
  producer(language?: Language, address?: string): Producer;
  startWorker(options?: Partial<WorkerOptions>): Promise<Worker>;
  startBroker(settings?: BrokerSettings): Promise<BrokerProcess>;
  startRedis(): Promise<RedisServer>;
  startProxy(target?: string): Promise<FaultyProxy>;
  /** Something else, and how it is ended after the step. */
  use<Thing>(starting: Promise<Thing>, end: (thing: Thing) => Promise<unknown>): Promise<Thing>;
  /** What happened in the queue. */
  counters(address?: string): Promise<Counters>;
  untilState(taskId: string, state: keyof typeof TaskState, address?: string): Promise<void>;
}

const TIMEOUT_MS = 30_000;

/** What all steps of a language share. */
export interface Shared {
  readonly language: Language;
  readonly broker: BrokerProcess;
  readonly producers: Producers;
}

/** One for each language and broker: they are used by all steps, since a process takes its time to start. */
export class Producers {
  readonly #started = new Map<string, Producer>();

  to(language: Language, address: string): Producer {
    const key = `${language.name} ${address}`;
    const producer = this.#started.get(key) ?? startProducer(language, address);
    this.#started.set(key, producer);
    return producer;
  }

  async kill(): Promise<void> {
    for (const producer of this.#started.values()) await producer.kill();
  }
}

/** Plays one step, and cleans up. */
export async function inWorld(
  { language, broker, producers }: Shared,
  play: (world: World) => Promise<void>,
): Promise<void> {
  const cleanups: (() => Promise<unknown> | undefined)[] = [];
  const clean = <Thing>(thing: Thing, cleanup: (thing: Thing) => Promise<unknown>): Thing => {
    cleanups.push(() => cleanup(thing));
    return thing;
  };
  try {
    await play(worldOf({ language, broker, producers }, clean));
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

function worldOf(
  { language, broker, producers }: Shared,
  clean: <Thing>(thing: Thing, cleanup: (thing: Thing) => Promise<unknown>) => Thing,
): World {
  const queue = `q-${randomBytes(6).toString("hex")}`;
  const rpcs = new Map<string, Rpc>();
  const world: World = {
    language,
    queue,
    address: broker.address,
    enqueue: (type, { address = broker.address, ...options } = {}) => {
      const task = { type, queue, how: "one by one", payloads: [""], maxRetries: 3, timeoutMs: TIMEOUT_MS } as const;
      return world.producer(language, address).enqueue({ ...task, ...options });
    },
    outcome: async (type, options) => {
      const [taskId = ""] = await world.enqueue(type, options);
      return world.end(taskId);
    },
    end: (taskId, address = broker.address) => world.producer(language, address).end(taskId),
    producer: (other = language, address = broker.address) => producers.to(other, address),
    startWorker: async (options = {}) =>
      clean(await startWorker(language, { queue, addresses: [broker.address], ...options }), (worker) => worker.kill()),
    startBroker: async (settings) => {
      const dataDir = await mkdtemp(join(tmpdir(), "taskwire-clients-"));
      clean(dataDir, () => rm(dataDir, { recursive: true, force: true }));
      return clean(await startBroker({ dataDir, ...settings }), (other) => other.kill());
    },
    startRedis: async () => clean(await startRedis(), (redis) => redis.destroy()),
    startProxy: async (target = broker.address) => clean(await startProxy(target), (proxy) => proxy.close()),
    use: async (starting, end) => clean(await starting, end),
    counters: async (address = broker.address) => {
      const { queue: found } = await rpc(address).queues.getQueue({ queue });
      if (!found?.counters) throw new Error(`the queue ${queue} has no counters`);
      return found.counters;
    },
    untilState: async (taskId, state, address = broker.address) => {
      await until(`the task is ${state}`, async () => {
        const { status } = await rpc(address).tasks.getTask({ taskId });
        return status?.state === TaskState[state];
      });
    },
  };
  return world;

  function rpc(address: string): Rpc {
    const known = rpcs.get(address) ?? clean(connect(address), async (opened) => opened.close());
    rpcs.set(address, known);
    return known;
  }
}
