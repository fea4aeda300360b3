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
  /** The class of the error, "timeout", "worker_lost" or "cancelled". */
  readonly type: string;
  readonly message: string;
  /** Where it went wrong, as the worker told; "" when it did not. */
  readonly stack: string;
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
   * Back to the front of its line. With a failure it adds 1 to the lost count and is kept as an attempt; without one the broker,
   * not the worker, was at fault. An ack with this lease still counts until the task is claimed again.
   */
  | { readonly kind: "lose"; readonly failure: Failure | undefined };

/** One leased task and how it is to go on. */
export interface Settlement {
  readonly lease: Lease;
  /** Index in the block; 0 when alone. */
  readonly index: number;
  readonly outcome: Outcome;
  /** When the task was enqueued, if that is at hand. For those who measure: a store has no use for it. */
  readonly enqueuedAtMs?: number | undefined;
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

/** One attempt that ended, as it is kept with its task. */
export interface Attempt {
  /** Its number, from 1. A lost delivery has the number of the attempt that followed it. */
  readonly attempt: number;
  readonly outcome: "completed" | "failed" | "lost" | "cancelled";
  /** Undefined when it completed. */
  readonly failure: Failure | undefined;
  /** From when the task was ready, or due, to the delivery; as well as the record tells. */
  readonly waitMs: number;
  /** From delivery to settlement. */
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
  /** Newest first; bounded by `LIMITS.attemptsKept` and `attemptsLength`. */
  readonly attempts: readonly Attempt[];
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

/** Numbers of one queue. Those before `scheduled` only rise. */
export interface QueueCounters {
  readonly enqueued: number;
  readonly dequeued: number;
  readonly completed: number;
  /** Attempts that failed; a discarded one is among them, a cancelled one is not. */
  readonly failed: number;
  readonly retried: number;
  readonly lost: number;
  /** Tasks that died. */
  readonly buried: number;
  /** Tasks that were cancelled or discarded. */
  readonly cancelled: number;
  readonly revived: number;
  /** Dead tasks that were deleted by `deleteDead`. */
  readonly deleted: number;
  /** Dead tasks that the cap or their age dropped. */
  readonly dropped: number;
  readonly scheduled: number;
  readonly ready: number;
  readonly active: number;
  readonly dead: number;
}

/** How many tasks a queue accepts, over all brokers: a token bucket, as a generic cell rate algorithm. */
export interface EnqueueRate {
  /** Tasks a second. */
  readonly perSecond: number;
  /** So many at once, at least 1. */
  readonly burst: number;
}

/** How a queue is steered. */
export interface QueuePolicy {
  readonly paused: boolean;
  /** Undefined: no limit. */
  readonly enqueueRate: EnqueueRate | undefined;
}

export interface QueueStats {
  readonly queue: string;
  readonly counters: QueueCounters;
  readonly policy: QueuePolicy;
  /** Since when the longest-waiting of the tasks at the heads of its lines has been ready; undefined when none is. */
  readonly oldestReadyAtMs: number | undefined;
  /** How many tasks of each type were enqueued. */
  readonly enqueuedByType: ReadonlyMap<string, number>;
}

/** What became of a task that was to be cancelled. */
export type Cancelled =
  /** `lease`: by which it was held until now, when it was active. */
  | { readonly kind: "cancelled"; readonly lease: Lease | undefined; readonly index: number }
  /** Nothing was changed: it had ended. */
  | { readonly kind: "ended"; readonly state: TaskState }
  | { readonly kind: "missing" };

/** What became of a dead task that was to be revived or deleted: done, or the state that it is in, or not there. */
export type DeadMove = "done" | Exclude<TaskState, "dead"> | "missing";

/** Where a page of a list ended. Opaque to all but the store that made it; valid as long as the queue is. */
export type ListPosition = string;

export interface ListQuery {
  readonly state: TaskState;
  /** Only of this type. Not with "completed" and "cancelled". */
  readonly type?: string | undefined;
  /** Only of this group of failures, by `groupOfFailure`. Only with "dead". */
  readonly failureGroup?: string | undefined;
  /** Undefined: from the start. */
  readonly after?: ListPosition | undefined;
  readonly limit: number;
}

/** One task of a list. */
export interface ListedTask {
  readonly task: TaskSnapshot;
  /** Orders lists of several queues: when it was enqueued, is due, or ended, as its state has it. */
  readonly timeMs: number;
  /** The position behind it. */
  readonly position: ListPosition;
}

export interface ListPage {
  readonly tasks: readonly ListedTask[];
  /** Where to go on; undefined when the list is over. A page of a filtered list may be short, even empty, and go on. */
  readonly next: ListPosition | undefined;
}

/** Dead tasks of one queue that failed alike. */
export interface FailureGroup {
  readonly id: string;
  readonly errorType: string;
  /** See `normaliseMessage`. */
  readonly message: string;
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** The key of one of them: of the last, as long as that is dead. */
  readonly sampleKey: string;
}

/** What one broker measured in one slot of time; its bytes are opaque to the store. */
export interface Sample {
  readonly brokerId: string;
  /** Number of the slot: epoch ms / `SAMPLE_MS`. */
  readonly slot: number;
  readonly bytes: Uint8Array;
}

/** The length of a slot, and how many slots are kept: an hour. */
export const SAMPLE_MS = 10_000;
export const SAMPLES_KEPT = 360;

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
  /** Some of what it holds, oldest first. */
  readonly holding: readonly { readonly queue: string; readonly key: string; readonly deliveredAtMs: number }[];
}

/** What a store tells without being asked. Hints only: each may come late, twice or, rarely, not at all. */
export interface StoreEvents {
  /** A queue went from empty to not empty, by whichever broker. */
  ready(queue: string): void;
  /** A task of this queue was scheduled to be due in this long. */
  scheduled(queue: string, inMs: number): void;
  /** A task that this broker leased was cancelled, through whichever broker. */
  cancelled(lease: Pick<Lease, "broker" | "sequence">, index: number): void;
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
   * @throws RATE_LIMITED, with the time to wait, when the queue's rate does not admit all tasks of this call now; counted over all
   *   brokers. A repeated batch costs nothing. BATCH_ABOVE_BURST when it never could.
   */
  enqueue(queue: string, tasks: readonly NewTask[], producer?: Producer): Promise<readonly Enqueued[]>;

  /**
   * Leases ready tasks to this broker: higher priority first, then in the order in which they became ready, those that came
   * back before all others of priority 0. What is due is promoted first. Empty when nothing is ready, or the queue is paused.
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

  /**
   * Ends a task that has not ended, as "cancelled" with a failure of type "cancelled" and this reason. It is never handed out after
   * this; the lease of an active one is void, and the broker that holds it is told by `cancelled`.
   * Idempotent: cancelled before is "ended".
   */
  cancel(queue: string, key: string, reason: string): Promise<Cancelled>;

  /**
   * Makes dead tasks ready, at the end of the line, with attempt 1 and lost count 0; their attempts are kept. One answer for each,
   * in order. Atomic over the call, and each conditional on being dead. Idempotent: a second call finds them not dead.
   */
  revive(queue: string, keys: readonly string[]): Promise<readonly DeadMove[]>;
  /** Deletes dead tasks for good; as `revive`. */
  deleteDead(queue: string, keys: readonly string[]): Promise<readonly DeadMove[]>;

  /**
   * Tasks in one state: ready the last in line first; scheduled the last to be due first; active the last enqueued first; the others
   * the last to end first. Its cost does not grow with the queue: a filtered page looks at some thousand tasks at most. Positions
   * stay good while tasks come and go: none that stays is shown twice or passed over. Of completed and cancelled tasks at least the
   * last `LIMITS.listedEnded` are listed.
   */
  list(queue: string, query: ListQuery): Promise<ListPage>;
  /** How many tasks are ahead of a ready one; undefined when it is not ready or stands behind more than some thousand entries. */
  position(queue: string, key: string): Promise<number | undefined>;
  /** The groups of the dead tasks of a queue, in no order. Kept with each move, so that they are exact; not counted on demand. */
  failureGroups(queue: string): Promise<readonly FailureGroup[]>;

  /**
   * Changes how a queue is steered, creating it if need be; what is not given stays. After "paused" no claim of any broker takes a
   * task; after the end of a pause `ready` is told. Durable.
   * @throws TOO_MANY_QUEUES
   */
  steer(queue: string, change: Partial<QueuePolicy>): Promise<QueuePolicy>;

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

  /** Drops result records that are past their time or above the cap, and dead tasks likewise. */
  dropOld(): Promise<void>;

  /** Keeps a sample in place of what this broker put for its slot before; drops those of slots that are too old. */
  putSample(sample: Sample): Promise<void>;
  /** The samples of all brokers of the last `SAMPLES_KEPT` slots, by slot; only those from slot `from` on when it is given. */
  samples(from?: number): Promise<readonly Sample[]>;
  /** What it uses: memory on Redis, the file of the embedded store. */
  usedBytes(): Promise<number>;
}

/** What every adapter is told. */
export interface StoreOptions {
  /** How long results are kept. */
  readonly resultTtlMs: number;
  /** How many results of one queue are kept. */
  readonly maxResultsPerQueue: number;
  /** How long dead tasks are kept. */
  readonly deadTtlMs: number;
  /** How many dead tasks of one queue are kept; the oldest make room at once. */
  readonly maxDeadPerQueue: number;
  readonly maxQueues: number;
  /** How long a broker may be silent before others take its leases. */
  readonly brokerTimeoutMs: number;
}
