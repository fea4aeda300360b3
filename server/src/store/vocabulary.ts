/** The nouns of the store port: what its verbs, in store.ts, take and answer. */
import type { Lease } from "../domain/lease.ts";
import type { TaskState } from "../domain/state.ts";

export type Durability = "volatile" | "async" | "fsync" | "replicated";

/** A task to add. */
export interface NewTask {
  /**
   * The encoded Task without id and enqueue time, handed out byte for byte. Opaque to the store, but for its type, by which lists
   * are filtered: see domain/task-body.ts.
   */
  readonly body: Uint8Array;
  /** The same as in the body. Counted, not interpreted. */
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
  /** When the tasks were due, if they were scheduled, as well as their record tells; else 0. */
  readonly runAtMs: number;
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

/**
 * One attempt that ended, as it is kept with its task, also after it was completed or cancelled. Releases, snoozes, deliveries lost
 * by a broker's fault and the cancellation of a task that waits leave none.
 */
export interface Attempt {
  /** Its number, from 1. A lost delivery has the number of the attempt that followed it. */
  readonly attempt: number;
  /** "cancelled": while it ran, or discarded by its handler. */
  readonly outcome: "completed" | "failed" | "lost" | "cancelled";
  /** Undefined when it completed. */
  readonly failure: Failure | undefined;
  /** From when the task was ready, or due, to the delivery; as well as the record tells. */
  readonly waitMs: number;
  /** From delivery to settlement. */
  readonly durationMs: number;
  /** "" when the record does not tell, as of a cancelled one. */
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
  /** Newest first; bounded by `LIMITS.attemptsKept` and, in letters of messages and stacks, `attemptsLength`. */
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
  /** Undefined: no limit. A limit that is new, or changed, begins with its whole burst. */
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
  /** When the first and the last of them died, or of those that left the group since it was last empty. */
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
