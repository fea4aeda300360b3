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
  TaskSnapshot,
  WorkerRecord,
} from "./vocabulary.ts";

export type {
  Attempt,
  AttemptResult,
  Cancelled,
  ClaimLimit,
  DeadMove,
  Durability,
  Enqueued,
  EnqueueRate,
  Failure,
  FailureGroup,
  Grant,
  LeasedTask,
  ListedTask,
  ListPage,
  ListPosition,
  ListQuery,
  NewTask,
  Outcome,
  Producer,
  Promotion,
  QueueCounters,
  QueuePolicy,
  QueueStats,
  Sample,
  Settled,
  Settlement,
  TaskSnapshot,
  WorkerRecord,
} from "./vocabulary.ts";

export { SAMPLE_MS, SAMPLES_KEPT } from "./vocabulary.ts";

/** What a store tells without being asked. Hints only: each may come late, twice or, rarely, not at all. */
export interface StoreEvents {
  /** A queue went from empty to not empty, by whichever broker. */
  ready(queue: string): void;
  /** A task of this queue was scheduled to be due in this long. */
  scheduled(queue: string, inMs: number): void;
  /** A task that this broker leased was cancelled, through whichever broker. Not told before the claim that leased it is answered. */
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
   * this; its lease is void, that of a lost delivery too, and the broker that holds an active one is told by `cancelled`.
   * Idempotent: cancelled before is "ended".
   */
  cancel(queue: string, key: string, reason: string): Promise<Cancelled>;

  /**
   * Makes dead tasks ready, at the end of the line of their priority in the order given, with attempt 1 and lost count 0; their
   * attempts and last result are kept. One answer for each, in order; a key that is given twice is found "ready" the second time.
   * Atomic over the call, and each conditional on being dead. Idempotent: a second call finds them not dead.
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
   * Changes how a queue is steered, creating it if need be; what is not given stays, and an `enqueueRate` that is given as undefined
   * takes the limit away. The same again changes nothing: what is left of a burst is not filled up. After "paused" no claim of any
   * broker takes a task; after the end of a pause `ready` is told. Durable.
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
  /** Gives away what dead brokers leased, as "lose" without a failure. Returns how many tasks. Any broker may call it. */
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
