/**
 * The store on Redis 7 or later: one server, one behind Sentinel, or a Cluster. README.md tells what is kept where. Each verb
 * is one atomic script; calls for one queue are gathered by its lane.
 */
import { randomBytes } from "node:crypto";
import { CannotStart } from "../../domain/cannot-start.ts";
import { NAME_PATTERN } from "../../domain/ids.ts";
import type { Lease } from "../../domain/lease.ts";
import { hasEnded } from "../../domain/state.ts";
import type { Logger } from "../../observe/logger.ts";
import type {
  ClaimLimit,
  Durability,
  Enqueued,
  Grant,
  LeasedTask,
  NewTask,
  Producer,
  Promotion,
  QueueStats,
  Settled,
  Settlement,
  Store,
  StoreEvents,
  StoreOptions,
  TaskSnapshot,
  WorkerRecord,
} from "../store.ts";
import { type Address, describeAddress, parseAddress } from "./address.ts";
import { checkServer } from "./boot-check.ts";
import { Brokers } from "./brokers.ts";
import { Connection } from "./connection.ts";
import type { Context } from "./context.ts";
import { type Ended, isFinal, isPlain } from "./enqueue-batch.ts";
import type { Entry } from "./entry.ts";
import { find } from "./find.ts";
import { giveAway } from "./give-away.ts";
import { findLeased } from "./inspect.ts";
import { channelName } from "./keys.ts";
import { Lane } from "./lane.ts";
import { QueueRegistry } from "./queue-registry.ts";
import { readStats } from "./queue-stats.ts";
import { resultSettings } from "./result-settings.ts";
import { SCRIPTS } from "./scripts.ts";
import { readServerFacts } from "./server-facts.ts";
import { settleIn } from "./settle.ts";
import { NOTE_MS, Waiters } from "./waiters.ts";
import { Wakeups } from "./wakeups.ts";
import { WorkerRecords } from "./worker-records.ts";

export interface RedisStoreOptions extends StoreOptions {
  readonly url: string;
  /** Begins every key: several brokers share tasks when they share this. */
  readonly namespace: string;
  readonly requireDurability: Durability;
  /** How many replicas must have each write before a promise resolves; 0 = do not wait for any. */
  readonly minReplicas: number;
  readonly logger: Logger;
}

export function createRedisStore(options: RedisStoreOptions): Store {
  return new RedisStore(options);
}

const NO_EVENTS: StoreEvents = { ready: () => undefined, scheduled: () => undefined, available: () => undefined };

const MAX_LANES = 10_000;
/** The most tasks that one script call promotes. */
const MAX_PROMOTED = 1_000;
/** An answer that was lost may belong to a call that is still to run, for as long as a server may hold it back. */
const LOST_CLAIM_MS = 15_000;

class RedisStore implements Store {
  readonly description: string;
  durability: Durability = "volatile";
  readonly #options: RedisStoreOptions;
  readonly #address: Address;
  readonly #connection: Connection;
  readonly #wakeups: Wakeups;
  readonly #brokers: Brokers;
  readonly #registry: QueueRegistry;
  readonly #workers: WorkerRecords;
  readonly #waiters: Waiters;
  readonly #context: Context;
  readonly #lanes = new Map<string, Lane>();
  /** Queues that are being registered: what is called for them meanwhile waits, to keep the order. */
  readonly #gates = new Map<string, Promise<Error | undefined>>();
  #events = NO_EVENTS;
  #sequence = 0;
  #state: "new" | "open" | "closed" = "new";

  constructor(options: RedisStoreOptions) {
    const { url, namespace, minReplicas, logger, maxQueues, brokerTimeoutMs } = options;
    this.#options = options;
    // It stands in keys and in messages between spaces.
    if (!NAME_PATTERN.test(namespace))
      throw new CannotStart(`a namespace may have letters, digits and . _ - only: ${namespace}`);
    this.#address = parseAddress(url);
    this.description = describeAddress(this.#address);
    const self = randomBytes(6).toString("hex");
    this.#connection = new Connection({
      address: this.#address,
      minReplicas,
      scripts: Object.values(SCRIPTS),
      logger,
      onAvailable: (isAvailable) => this.#onAvailable(isAvailable),
    });
    this.#wakeups = new Wakeups({
      address: this.#address,
      channel: channelName(namespace),
      self,
      logger,
      onReady: (queue) => this.#events.ready(queue),
      onEnded: (queue, key) => this.#waiters.wake(queue, key),
    });
    this.#brokers = new Brokers(this.#connection, namespace, brokerTimeoutMs);
    this.#registry = new QueueRegistry(this.#connection, namespace, maxQueues);
    this.#workers = new WorkerRecords(this.#connection, namespace);
    this.#waiters = new Waiters(logger);
    this.#context = {
      options,
      namespace,
      connection: this.#connection,
      logger,
      events: {
        ready: (queue) => this.#events.ready(queue),
        scheduled: (queue, inMs) => this.#events.scheduled(queue, inMs),
        available: (isAvailable) => this.#events.available(isAvailable),
      },
      self,
      nowMs: () => this.#brokers.clock.nowMs(),
      broker: () => this.#brokers.id,
      takeSequences: (count) => this.#takeSequences(count),
      onEnded: (queue, entry, awaited) => this.#onEnded(queue, entry, awaited),
    };
  }

  get brokerId(): string {
    return this.#brokers.id;
  }

  async start(events: StoreEvents): Promise<void> {
    try {
      await this.#connection.open();
      const facts = await readServerFacts(this.#connection.client);
      const { requireDurability, minReplicas, logger } = this.#options;
      this.durability = checkServer(facts, { requireDurability, minReplicas }, logger);
      await this.#wakeups.open();
      await this.#brokers.renew();
    } catch (error) {
      this.#close();
      if (error instanceof CannotStart) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new CannotStart(
        `cannot use Redis at ${this.description}: ${reason}; see that it runs and that TASKWIRE_REDIS_URL is right`,
        {
          cause: error,
        },
      );
    }
    this.#state = "open";
    this.#events = events;
  }

  async stop(): Promise<void> {
    if (this.#state !== "open") return;
    try {
      for (const queue of await this.#registry.all()) await giveAway(this.#lane(queue), this.brokerId, () => true);
      await this.#brokers.remove();
    } catch (error) {
      // Others will find that this broker is silent, and give its leases away.
      this.#options.logger.warn({ err: error }, "leases could not be given back");
    }
    this.#state = "closed";
    this.#close();
  }

  async enqueue(queue: string, tasks: readonly NewTask[], producer?: Producer): Promise<readonly Enqueued[]> {
    if (tasks.length === 0) return [];
    const gate = this.#gates.get(queue) ?? (this.#registry.has(queue) ? undefined : this.#register(queue));
    const refusal = gate && (await gate);
    if (refusal) throw refusal;
    const enqueued = await this.#lane(queue).enqueue({ tasks, producer });
    return enqueued.every(isFinal) && tasks.every(isPlain) ? enqueued : this.#complete(queue, enqueued);
  }

  async claim(queue: string, limit: ClaimLimit): Promise<readonly Grant[]> {
    const gate = this.#gates.get(queue);
    if (gate) await gate;
    return this.#lane(queue).claim(limit);
  }

  async settle(queue: string, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    if (settlements.length === 0) return [];
    return settleIn(this.#lane(queue), settlements);
  }

  async promote(queue: string, max: number): Promise<Promotion> {
    const lane = this.#lane(queue);
    let promoted = 0;
    for (;;) {
      const count = Math.min(max - promoted, MAX_PROMOTED);
      const reply = await lane.run(SCRIPTS.promote, [...lane.wakeArgs(), count]);
      // The form that promote.lua says.
      const [moved, next, woke] = reply as readonly [number, number | Buffer, number];
      promoted += moved;
      if (woke === 1) this.#events.ready(queue);
      const nextInMs = typeof next === "number" ? next : undefined;
      if (nextInMs !== 0 || promoted >= max) return { promoted, nextInMs };
    }
  }

  async find(queue: string, key: string): Promise<TaskSnapshot | undefined> {
    const gate = this.#gates.get(queue);
    if (gate) await gate;
    return find(this.#lane(queue), key, () => this.#brokers.all());
  }

  findLeased(lease: Lease, index: number): Promise<LeasedTask | undefined> {
    return findLeased(this.#lane(lease.queue), lease, index);
  }

  untilEnded(queue: string, key: string, signal: AbortSignal): Promise<TaskSnapshot | undefined> {
    const look = async () => {
      const task = await this.find(queue, key);
      return task === undefined || hasEnded(task.state) ? task : "not yet";
    };
    return this.#waiters.until(queue, key, signal, async () => {
      const first = await look();
      if (first !== "not yet") return first;
      // Looked at again after the note, an end in between is not missed. No note is made of what does not exist.
      await this.#lane(queue).run(SCRIPTS.await, [key, this.#context.nowMs(), NOTE_MS]);
      return look();
    });
  }

  queues(): Promise<readonly string[]> {
    return this.#registry.all();
  }

  queueByTag(tag: string): Promise<string | undefined> {
    return this.#registry.byTag(tag);
  }

  stats(queues: readonly string[]): Promise<readonly QueueStats[]> {
    return Promise.all(queues.map(async (queue) => readStats(queue, await this.#lane(queue).run(SCRIPTS.stats, []))));
  }

  now(): Promise<number> {
    return this.#brokers.now();
  }

  async renew(): Promise<"alive" | "fenced"> {
    const state = await this.#brokers.renew();
    if (state === "fenced") {
      for (const lane of this.#lanes.values()) lane.held.clear();
      this.#registry.forget();
    }
    this.#recoverLostClaims();
    return state;
  }

  async reap(): Promise<number> {
    const fenced = await this.#brokers.fence();
    if (fenced.length === 0) return 0;
    const queues = await this.#registry.all();
    let count = 0;
    for (const broker of fenced) {
      const counts = await Promise.all(queues.map((queue) => giveAway(this.#lane(queue), broker, () => true)));
      for (const n of counts) count += n;
    }
    return count;
  }

  brokers(): Promise<number> {
    return this.#brokers.countAlive();
  }

  putWorkers(workers: readonly WorkerRecord[]): Promise<void> {
    return this.#workers.put(workers);
  }

  removeWorker(sessionId: string): Promise<void> {
    return this.#workers.remove(sessionId);
  }

  workers(): Promise<readonly WorkerRecord[]> {
    return this.#workers.all();
  }

  async dropOldResults(): Promise<void> {
    const { ttlMs, max } = resultSettings(this.#options);
    for (const queue of await this.#registry.all())
      await this.#lane(queue).run(SCRIPTS.dropResults, [this.#context.nowMs(), ttlMs, max]);
  }

  #lane(queue: string): Lane {
    let lane = this.#lanes.get(queue);
    if (!lane) {
      if (this.#lanes.size >= MAX_LANES) this.#forgetIdleLanes();
      lane = new Lane(queue, this.#context);
      this.#lanes.set(queue, lane);
    }
    return lane;
  }

  /** Callers ask after queues that never were. */
  #forgetIdleLanes(): void {
    for (const [queue, lane] of this.#lanes) if (lane.isIdle) this.#lanes.delete(queue);
  }

  /**
   * Resolves with the reason when the queue cannot be had. All that is called for it meanwhile waits for this very promise,
   * and so goes on in the order of the calls.
   */
  #register(queue: string): Promise<Error | undefined> {
    const gate = this.#registry.add(queue).finally(() => this.#gates.delete(queue));
    this.#gates.set(queue, gate);
    return gate;
  }

  /** Tells of what was scheduled. A caller's key may name a task that has ended: how, only its result tells. */
  async #complete(queue: string, enqueued: readonly (Enqueued | Ended)[]): Promise<Enqueued[]> {
    return Promise.all(
      enqueued.map(async (one) => {
        if (one.state === undefined) return { ...one, state: (await this.find(queue, one.key))?.state ?? "completed" };
        if (one.kind === "created" && one.runAtMs > 0)
          this.#events.scheduled(queue, Math.max(0, one.runAtMs - this.#context.nowMs()));
        return one;
      }),
    );
  }

  #takeSequences(count: number): number {
    const first = this.#sequence + 1;
    this.#sequence += count;
    return first;
  }

  #onEnded(queue: string, entry: Entry, awaited: boolean): void {
    if (!awaited && this.#waiters.isEmpty()) return;
    const keys = entry.endedKeys();
    for (const key of keys) this.#waiters.wake(queue, key);
    if (!awaited || keys.length === 0) return;
    const lane = this.#lane(queue);
    const { namespace, self } = this.#context;
    lane.run(SCRIPTS.announceEnded, [channelName(namespace), `e ${self} ${queue}`, ...keys]).catch((error: unknown) => {
      this.#options.logger.debug({ err: error, queue }, "could not tell that tasks ended");
    });
  }

  #onAvailable(isAvailable: boolean): void {
    this.#registry.forget();
    if (this.#state !== "open") return;
    this.#events.available(isAvailable);
    if (isAvailable) this.#recoverLostClaims();
  }

  /** A claim may have happened though its answer was lost: then its leases are known to nobody, and go back to the line. */
  #recoverLostClaims(): void {
    const over = performance.now() - LOST_CLAIM_MS;
    for (const lane of this.#lanes.values()) {
      const lost = lane.lostClaims;
      if (lost.length === 0) continue;
      lane.lostClaims = lost.filter(({ failedAt }) => failedAt > over);
      for (const { broker, first, end } of lost) {
        giveAway(lane, broker, (sequence) => sequence >= first && sequence < end).catch((error: unknown) => {
          this.#options.logger.debug({ err: error, queue: lane.queue }, "lost claims could not be given back yet");
        });
      }
    }
  }

  #close(): void {
    this.#wakeups.close();
    this.#connection.close();
  }
}
