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
  Cancelled,
  ClaimLimit,
  DeadMove,
  Durability,
  Enqueued,
  FailureGroup,
  Grant,
  LeasedTask,
  ListPage,
  ListQuery,
  NewTask,
  Producer,
  Promotion,
  QueuePolicy,
  QueueStats,
  Sample,
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
import { type Context, NO_EVENTS } from "./context.ts";
import { dropOld } from "./drop-old.ts";
import { type Ended, isFinal, isPlain } from "./enqueue-batch.ts";
import type { Entry } from "./entry.ts";
import { toTaskwireError } from "./errors.ts";
import { find } from "./find.ts";
import { giveAway } from "./give-away.ts";
import { findLeased } from "./inspect.ts";
import { channelName } from "./keys.ts";
import { Lanes } from "./lanes.ts";
import { Operators } from "./operators.ts";
import { promote } from "./promote.ts";
import { QueueRegistry } from "./queue-registry.ts";
import { readStats } from "./queue-stats.ts";
import { Samples } from "./samples.ts";
import { SCRIPTS } from "./scripts.ts";
import { readServerFacts, readUsedBytes } from "./server-facts.ts";
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
  readonly #lanes: Lanes;
  readonly #samples: Samples;
  readonly #operators: Operators;
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
      onCancelled: (queue, lease, index) => {
        if (lease.broker === this.brokerId) this.#lanes.of(queue).heardOfCancel(lease, index);
      },
    });
    this.#brokers = new Brokers(this.#connection, namespace, brokerTimeoutMs);
    this.#registry = new QueueRegistry(this.#connection, namespace, maxQueues);
    this.#workers = new WorkerRecords(this.#connection, namespace);
    this.#samples = new Samples(this.#connection, namespace);
    this.#waiters = new Waiters(logger);
    this.#context = {
      options,
      namespace,
      connection: this.#connection,
      logger,
      events: {
        ready: (queue) => this.#events.ready(queue),
        scheduled: (queue, inMs) => this.#events.scheduled(queue, inMs),
        cancelled: (lease, index) => this.#events.cancelled(lease, index),
        available: (isAvailable) => this.#events.available(isAvailable),
      },
      self,
      nowMs: () => this.#brokers.clock.nowMs(),
      broker: () => this.#brokers.id,
      takeSequences: (count) => this.#takeSequences(count),
      onEnded: (queue, entry, awaited) => this.#onEnded(queue, entry, awaited),
    };
    this.#lanes = new Lanes(this.#context, this.#registry);
    const find = (queue: string, key: string) => this.find(queue, key);
    this.#operators = new Operators(this.#context, this.#lanes, this.#brokers, find);
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
      for (const queue of await this.#registry.all()) await giveAway(this.#lanes.of(queue), this.brokerId, () => true);
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
    const gate = this.#lanes.gateOfNew(queue);
    const refusal = gate && (await gate);
    if (refusal) throw refusal;
    const enqueued = await this.#lanes.of(queue).enqueue({ tasks, producer });
    return enqueued.every(isFinal) && tasks.every(isPlain) ? enqueued : this.#complete(queue, enqueued);
  }

  async claim(queue: string, limit: ClaimLimit): Promise<readonly Grant[]> {
    const gate = this.#lanes.gate(queue);
    if (gate) await gate;
    return this.#lanes.of(queue).claim(limit);
  }

  async settle(queue: string, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    if (settlements.length === 0) return [];
    return settleIn(this.#lanes.of(queue), settlements);
  }

  promote(queue: string, max: number): Promise<Promotion> {
    return promote(this.#lanes.of(queue), max);
  }

  cancel(queue: string, key: string, reason: string): Promise<Cancelled> {
    return this.#operators.cancel(queue, key, reason);
  }

  revive(queue: string, keys: readonly string[]): Promise<readonly DeadMove[]> {
    return this.#operators.revive(queue, keys);
  }

  deleteDead(queue: string, keys: readonly string[]): Promise<readonly DeadMove[]> {
    return this.#operators.deleteDead(queue, keys);
  }

  list(queue: string, query: ListQuery): Promise<ListPage> {
    return this.#operators.list(queue, query);
  }

  position(queue: string, key: string): Promise<number | undefined> {
    return this.#operators.position(queue, key);
  }

  failureGroups(queue: string): Promise<readonly FailureGroup[]> {
    return this.#operators.failureGroups(queue);
  }

  steer(queue: string, change: Partial<QueuePolicy>): Promise<QueuePolicy> {
    return this.#operators.steer(queue, change);
  }

  async find(queue: string, key: string): Promise<TaskSnapshot | undefined> {
    const gate = this.#lanes.gate(queue);
    if (gate) await gate;
    return find(this.#lanes.of(queue), key, () => this.#brokers.all());
  }

  findLeased(lease: Lease, index: number): Promise<LeasedTask | undefined> {
    return findLeased(this.#lanes.of(lease.queue), lease, index);
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
      await this.#lanes.of(queue).run(SCRIPTS.await, [key, this.#context.nowMs(), NOTE_MS]);
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
    return Promise.all(
      queues.map(async (queue) => readStats(queue, await this.#lanes.of(queue).run(SCRIPTS.stats, []))),
    );
  }

  now(): Promise<number> {
    return this.#brokers.now();
  }

  async renew(): Promise<"alive" | "fenced"> {
    const state = await this.#brokers.renew();
    if (state === "fenced") {
      this.#lanes.forgetHeld();
      this.#registry.forget();
    }
    this.#lanes.recoverLostClaims();
    return state;
  }

  async reap(): Promise<number> {
    const fenced = await this.#brokers.fence();
    if (fenced.length === 0) return 0;
    const queues = await this.#registry.all();
    let count = 0;
    for (const broker of fenced) {
      const counts = await Promise.all(queues.map((queue) => giveAway(this.#lanes.of(queue), broker, () => true)));
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

  async dropOld(): Promise<void> {
    for (const queue of await this.#registry.all()) await dropOld(this.#lanes.of(queue));
  }

  putSample(sample: Sample): Promise<void> {
    return this.#samples.put(sample);
  }

  samples(): Promise<readonly Sample[]> {
    return this.#samples.all();
  }

  async usedBytes(): Promise<number> {
    try {
      return await readUsedBytes(this.#connection.client);
    } catch (error) {
      throw toTaskwireError(error);
    }
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

  #onEnded(queue: string, entry: Pick<Entry, "endedKeys">, awaited: boolean): void {
    if (!awaited && this.#waiters.isEmpty()) return;
    const keys = entry.endedKeys();
    for (const key of keys) this.#waiters.wake(queue, key);
    if (!awaited || keys.length === 0) return;
    const lane = this.#lanes.of(queue);
    const { namespace, self } = this.#context;
    lane.run(SCRIPTS.announceEnded, [channelName(namespace), `e ${self} ${queue}`, ...keys]).catch((error: unknown) => {
      this.#options.logger.debug({ err: error, queue }, "could not tell that tasks ended");
    });
  }

  #onAvailable(isAvailable: boolean): void {
    this.#registry.forget();
    if (this.#state !== "open") return;
    this.#events.available(isAvailable);
    if (isAvailable) this.#lanes.recoverLostClaims();
  }

  #close(): void {
    this.#wakeups.close();
    this.#connection.close();
  }
}
