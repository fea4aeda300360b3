/** The messages of the contract in their JSON form: 64-bit numbers are text, bytes base64, durations such as "1.5s". */

/** A whole number, as text where it may be large. */
type Count = string | number;
type Timestamp = string;
type Duration = string;

export type CounterName =
  | "enqueued"
  | "dequeued"
  | "completed"
  | "failed"
  | "retried"
  | "lost"
  | "scheduled"
  | "ready"
  | "active"
  | "dead"
  | "buried"
  | "cancelled"
  | "revived"
  | "deleted"
  | "dropped";
export type Counters = Readonly<Partial<Record<CounterName, Count>>>;

export interface EnqueueRate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface Queue {
  readonly name: string;
  readonly counters?: Counters;
  readonly paused?: boolean;
  readonly enqueueRate?: EnqueueRate;
  readonly oldestReadyTime?: Timestamp;
}

export interface Percentiles {
  readonly p50?: Duration;
  readonly p95?: Duration;
  readonly p99?: Duration;
  readonly count?: Count;
}

export interface StoreInfo {
  readonly description?: string;
  readonly durability?: string;
  readonly bytes?: Count;
}

export interface Stats {
  readonly time?: Timestamp;
  readonly total?: Counters;
  readonly queues?: readonly Queue[];
  readonly enqueuedByType?: Readonly<Record<string, Count>>;
  readonly workers?: number;
  readonly brokers?: number;
  readonly wait?: Percentiles;
  readonly run?: Percentiles;
  readonly store?: StoreInfo;
}

export interface Moment {
  readonly time?: Timestamp;
  readonly total?: Counters;
  readonly wait?: Percentiles;
  readonly run?: Percentiles;
}

export interface HeldTask {
  readonly taskId: string;
  readonly queue: string;
  readonly deliveryTime?: Timestamp;
}

export interface Worker {
  readonly id: string;
  readonly host?: string;
  readonly sdk?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly queues?: readonly { readonly queue: string; readonly types?: readonly string[] }[];
  readonly concurrency?: number;
  readonly inFlight?: number;
  readonly startTime?: Timestamp;
  readonly lastSeenTime?: Timestamp;
  readonly status?: string;
  readonly brokerId?: string;
  readonly holding?: readonly HeldTask[];
}

export interface RetryPolicy {
  readonly backoff?: string;
  readonly base?: Duration;
  readonly max?: Duration;
  readonly jitter?: number;
  readonly delays?: readonly Duration[];
}

export interface Task {
  readonly id: string;
  readonly type?: string;
  readonly queue: string;
  readonly payload?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly maxRetries?: number;
  readonly retry?: RetryPolicy;
  readonly timeout?: Duration;
  readonly enqueueTime?: Timestamp;
}

export interface Attempt {
  readonly attempt?: number;
  readonly outcome?: string;
  readonly workerId?: string;
  readonly wait?: Duration;
  readonly duration?: Duration;
  readonly endTime?: Timestamp;
  readonly errorType?: string;
  readonly errorMessage?: string;
  readonly errorStack?: string;
}

export interface AttemptResult {
  readonly success?: boolean;
  readonly result?: string;
  readonly errorMessage?: string;
  readonly errorType?: string;
  readonly duration?: Duration;
  readonly workerId?: string;
  readonly endTime?: Timestamp;
}

export interface TaskStatus {
  readonly task?: Task;
  readonly state?: string;
  readonly attempt?: number;
  readonly lostCount?: number;
  readonly runTime?: Timestamp;
  readonly workerId?: string;
  readonly lastResult?: AttemptResult;
  readonly progressPercent?: number;
  readonly attempts?: readonly Attempt[];
  readonly waitingReason?: string;
}

export interface FailureGroup {
  readonly id: string;
  readonly queue: string;
  readonly errorType?: string;
  readonly message?: string;
  readonly count?: Count;
  readonly firstTime?: Timestamp;
  readonly lastTime?: Timestamp;
  readonly sampleTaskId?: string;
}

/** What a dead task is chosen by. */
export interface DeadTasks {
  readonly taskIds?: readonly string[];
  readonly queue?: string;
  readonly failureId?: string;
  readonly all?: boolean;
}

export function count(value: Count | undefined): number {
  return Number(value ?? 0);
}

/** Milliseconds of a duration such as "1.5s"; undefined when it is missing. */
export function ms(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : Number.parseFloat(duration) * 1_000;
}
