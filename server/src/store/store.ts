/**
 * The store port: what a broker needs of the place where tasks are kept. Two adapters implement it, `redis/` and
 * `embedded/`, and one suite (test/store) shows that they mean the same.
 *
 * Rules that hold for every verb:
 * - **Atomic** over one call for one queue: all of it happened, or none.
 * - **Durable** when the promise resolves, at the level that `durability` names.
 * - **Conditional**: whatever takes a lease changes nothing unless the lease is current for that task.
 * - **Idempotent**: repeated with the same arguments, it answers as it did the first time, as far as the store can still tell.
 * - Expected outcomes are returned. A `TaskwireError` is thrown for STORE_UNAVAILABLE (its `effect` says whether the call
 *   may have happened) and STORE_FULL (no effect). Anything else thrown is a bug.
 * - Calls of one tick may travel together; calls for one queue take effect in the order in which they were made, whatever
 *   their verb. So an `enqueue` followed at once by a `claim` can cost one round trip.
 * - Time is the store's own clock.
 */
import type { Lease } from "../domain/lease.ts";
import type { TaskState } from "../domain/state.ts";

export type Durability = "volatile" | "async" | "fsync" | "replicated";

/** A task to add. */
export interface NewTask {
  /** The encoded Task without id and enqueue time, opaque to the store. It is handed out byte for byte. */
  readonly body: Uint8Array;
  /** Counted, not interpreted. */
  readonly type: string;
  /** The key of a caller's id, or undefined: the store makes one. */
  readonly key: string | undefined;
  readonly priority: number;
  /** Ready this long after the store accepted it; 0 = at once. */
  readonly delayMs: number;
  /** Ready at this time; 0 = at once. At most one of `delayMs` and `runAtMs` is set. */
  readonly runAtMs: number;
  /** Whether the body has options other than the defaults. Told again in the grant, so that a plain body need not be read. */
  readonly hasOptions: boolean;
}

/** Who sends a batch, so that the same batch sent again adds nothing. */
export interface Producer {
  /** 16 hex digits, random. */
  readonly id: string;
  /** Rising within one producer. The store remembers the last 64 for an hour. */
  readonly sequence: number;
}

/** What became of one new task. */
export interface Enqueued {
  readonly kind: "created" | "existing";
  readonly key: string;
  /** Its state when it was accepted, or found. */
  readonly state: TaskState;
  /** When it becomes ready, if it is scheduled; else 0. */
  readonly runAtMs: number;
}

/** How much one claim may take. */
export interface ClaimLimit {
  /** Tasks, at least 1. */
  readonly maxTasks: number;
  /** Bytes of bodies. The first task is taken even when it is larger. */
  readonly maxBytes: number;
}

/** A run of tasks of one block, leased together. */
export interface Grant extends Lease {
  /** Index in the block of the first task; the others follow without gaps. 0 when alone. */
  readonly first: number;
  readonly count: number;
  /** The bodies, each after its length as a protobuf varint. Do not keep a view of it longer than the delivery. */
  readonly bodies: Buffer;
  /** Deliveries of the task that were lost with their worker. 0 unless alone. */
  readonly lostCount: number;
  readonly enqueuedAtMs: number;
  /** Whether any of the bodies has options other than the defaults. */
  readonly hasOptions: boolean;
}

/** Why an attempt failed. */
export interface Failure {
  /** The class of the error, "timeout" or "worker_lost". */
  readonly type: string;
  readonly message: string;
  /** From delivery to settlement. */
  readonly durationMs: number;
  readonly workerId: string;
}

/** How a leased task is to go on. Each kind is a move of `TRANSITIONS`. */
export type Outcome =
  | {
      readonly kind: "ack";
      readonly result: Uint8Array | undefined;
      readonly durationMs: number;
      readonly workerId: string;
    }
  /** Scheduled again after `delayMs`, with the next attempt number. */
  | { readonly kind: "retry"; readonly delayMs: number; readonly failure: Failure }
  | { readonly kind: "bury"; readonly failure: Failure }
  | { readonly kind: "discard"; readonly failure: Failure }
  /** Back to the front of its line, nothing counted; the lease is void at once. */
  | { readonly kind: "release" }
  /** Scheduled again after `delayMs` with the same attempt number. */
  | { readonly kind: "snooze"; readonly delayMs: number }
  /**
   * Back to the front of its line. `count` adds to its lost count; not so when the broker, not the worker, was at fault.
   * An ack with this lease still counts until the task is claimed again.
   */
  | { readonly kind: "lose"; readonly count: 0 | 1 };

/** One leased task and how it is to go on. */
export interface Settlement {
  readonly lease: Lease;
  /** Index in the block; 0 when alone. */
  readonly index: number;
  readonly outcome: Outcome;
}

/** "settled" also when this very settlement was made before; "stale" when the lease is not, or no longer, current. */
export type Settled = "settled" | "stale";

/** How one attempt ended. */
export interface AttemptResult {
  readonly success: boolean;
  readonly result: Uint8Array | undefined;
  readonly failure: Failure | undefined;
  readonly durationMs: number;
  readonly workerId: string;
  readonly endedAtMs: number;
}

/** What the store knows of one task. */
export interface TaskSnapshot {
  readonly queue: string;
  readonly key: string;
  readonly state: TaskState;
  /** Undefined once it was completed or discarded: then only the result record is kept. */
  readonly body: Uint8Array | undefined;
  /** Of the current or next attempt; of the last one when the task has ended. */
  readonly attempt: number;
  readonly lostCount: number;
  /** 0 when the record does not tell. */
  readonly enqueuedAtMs: number;
  /** When it becomes ready, if it is scheduled; else 0. */
  readonly runAtMs: number;
  readonly lastResult: AttemptResult | undefined;
}

/** What a lease is about, for a broker that did not make it. */
export interface LeasedTask {
  readonly body: Uint8Array;
  readonly attempt: number;
  readonly lostCount: number;
  readonly hasOptions: boolean;
}

/** The result of promoting what is due. */
export interface Promotion {
  readonly promoted: number;
  /** How long until the next scheduled task of the queue is due; 0 = more are due now; undefined = none is scheduled. */
  readonly nextInMs: number | undefined;
}

/** Numbers of one queue. The first six only rise. */
export interface QueueCounters {
  readonly enqueued: number;
  readonly dequeued: number;
  readonly completed: number;
  readonly failed: number;
  readonly retried: number;
  readonly lost: number;
  readonly scheduled: number;
  readonly ready: number;
  readonly active: number;
  readonly dead: number;
}

export interface QueueStats {
  readonly queue: string;
  readonly counters: QueueCounters;
  /** How many tasks of each type were enqueued. */
  readonly enqueuedByType: ReadonlyMap<string, number>;
}

/** A worker's session, as any broker can list it. */
export interface WorkerRecord {
  readonly workerId: string;
  readonly sessionId: string;
  readonly brokerId: string;
  readonly host: string;
  readonly sdk: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly queues: readonly { readonly queue: string; readonly types: readonly string[] }[];
  readonly concurrency: number;
  readonly inFlight: number;
  readonly startedAtMs: number;
  readonly lastSeenAtMs: number;
  readonly status: "active" | "stopping";
}

/** What a store tells without being asked. Hints only: each may come late, twice or, rarely, not at all. */
export interface StoreEvents {
  /** A queue went from empty to not empty, by whichever broker. */
  ready(queue: string): void;
  /** A task of this queue was scheduled to be due in this long. */
  scheduled(queue: string, inMs: number): void;
  /** The store can, or cannot, be reached. */
  available(isAvailable: boolean): void;
}

export interface Store {
  /** For logs: which store, where. No secrets. */
  readonly description: string;
  /** The level that a resolved promise stands for. Known after `start`. */
  readonly durability: Durability;
  /** The id under which this broker leases. Changes when `renew` answers "fenced". */
  readonly brokerId: string;

  /**
   * Opens the store, registers this broker, and checks that the store can keep its promises. Rejects with a sentence that
   * names the remedy when it cannot: too old, evicting, locked by another process, damaged, weaker than the required durability.
   */
  start(events: StoreEvents): Promise<void>;
  /** Unregisters this broker and closes. What it still leased counts as lost without fault of the worker. */
  stop(): Promise<void>;

  /**
   * Adds tasks to a queue, in order, creating the queue if need be. One entry for each task, in order.
   * Atomic over the call. Idempotent by a caller's key ("existing"), and as a whole by `producer`.
   * @throws TOO_MANY_QUEUES when the queue is new and there are as many as may be
   */
  enqueue(queue: string, tasks: readonly NewTask[], producer?: Producer): Promise<readonly Enqueued[]>;

  /**
   * Leases ready tasks to this broker: higher priority first, then in the order in which they became ready, those that came
   * back before all others of priority 0. What is due is promoted first. Empty when nothing is ready.
   * Survives a crash of the broker: its leases are given away by `reap`. A crash of an embedded store voids all leases.
   */
  claim(queue: string, limit: ClaimLimit): Promise<readonly Grant[]>;

  /**
   * Moves leased tasks on. One answer for each, in order. All settlements must be of one queue.
   * Each is conditional on its own lease; a stale one changes nothing and does not keep the others from counting.
   */
  settle(queue: string, settlements: readonly Settlement[]): Promise<readonly Settled[]>;

  /** Moves up to `max` due tasks to the line. Safe to call from any broker at any time. */
  promote(queue: string, max: number): Promise<Promotion>;

  /** What is known of a task; undefined when it never existed or its record was dropped. */
  find(queue: string, key: string): Promise<TaskSnapshot | undefined>;
  /** What a lease is about; undefined when it is stale. */
  findLeased(lease: Lease, index: number): Promise<LeasedTask | undefined>;
  /**
   * Resolves once the task has ended, wherever it is settled; undefined when it does not exist.
   * Rejects with the reason of `signal` when that is aborted first.
   */
  untilEnded(queue: string, key: string, signal: AbortSignal): Promise<TaskSnapshot | undefined>;

  /** All queues, sorted. */
  queues(): Promise<readonly string[]>;
  /** The queue that a tag stands for (see `queueTag`); undefined when there is none. */
  queueByTag(tag: string): Promise<string | undefined>;
  /** Numbers of the given queues. A consistent view of each single queue. */
  stats(queues: readonly string[]): Promise<readonly QueueStats[]>;
  /** The store's time, epoch ms. */
  now(): Promise<number>;

  /**
   * Says that this broker is alive. "fenced": others gave it up and may have taken its leases; every lease it made is to be
   * treated as lost, and it goes on under a new `brokerId`.
   */
  renew(): Promise<"alive" | "fenced">;
  /** Gives away what dead brokers leased, as "lose" with count 0. Returns how many tasks. Any broker may call it. */
  reap(): Promise<number>;
  /** How many brokers are alive. */
  brokers(): Promise<number>;

  /** Records a session, for 60 s. */
  putWorkers(workers: readonly WorkerRecord[]): Promise<void>;
  removeWorker(sessionId: string): Promise<void>;
  /** The sessions of all brokers. */
  workers(): Promise<readonly WorkerRecord[]>;

  /** Drops result records that are past their time or above the cap. */
  dropOldResults(): Promise<void>;
}

/** What every adapter is told. */
export interface StoreOptions {
  /** How long results are kept. */
  readonly resultTtlMs: number;
  /** How many results of one queue are kept. */
  readonly maxResultsPerQueue: number;
  readonly maxQueues: number;
  /** How long a broker may be silent before others take its leases. */
  readonly brokerTimeoutMs: number;
}
