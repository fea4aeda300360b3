import {
  Attempt_Outcome as Outcome,
  type Attempt as ProtoAttempt,
  type AttemptResult as ProtoAttemptResult,
  type TaskStatus as ProtoTaskStatus,
  TaskState as State,
} from "@taskwire/proto";
import { toDate, toMs } from "./wire-time.ts";

/**
 * Where a task is in its life. "scheduled": waits for its time. "ready": waits for a worker. "active": with a worker.
 * "completed": ended with success. "dead": out of retries, or refused for good. "cancelled": ended on purpose without
 * success. "unknown": a state that this version of the client does not know.
 */
export type TaskState = "scheduled" | "ready" | "active" | "completed" | "dead" | "cancelled" | "unknown";

/** The names of the states of the contract. */
export const TASK_STATES: Readonly<Record<number, TaskState>> = {
  [State.SCHEDULED]: "scheduled",
  [State.READY]: "ready",
  [State.ACTIVE]: "active",
  [State.COMPLETED]: "completed",
  [State.DEAD]: "dead",
  [State.CANCELLED]: "cancelled",
};

/** Everything that the broker knows of one task. */
export interface TaskStatus {
  readonly taskId: string;
  readonly queue: string;
  readonly state: TaskState;
  /** The number of the current or next attempt; of the last one when the task has ended. Starts at 1. */
  readonly attempt: number;
  /** How many deliveries were lost with their worker; they spend no retry. */
  readonly lostCount: number;
  /** When a scheduled task becomes ready. */
  readonly runTime: Date | undefined;
  /** The worker that holds it now, as far as the broker that answered knows. */
  readonly workerId: string | undefined;
  /** How far the worker says it is, from 0 to 100; 0 when it does not say. Known to the broker that handed the task out. */
  readonly progressPercent: number;
  /** What the worker added to that. */
  readonly progressDetail: Uint8Array;
  /** How the last attempt ended, if one has. */
  readonly lastResult: AttemptResult | undefined;
  /** The attempts that are kept, newest first: at most 10. */
  readonly attempts: readonly Attempt[];
  /** Why it has not ended yet, in one sentence, as `Client.get` tells it; "" once it has. */
  readonly waitingReason: string;
  /** The type; undefined once only the result of the task is kept, as are the fields below. */
  readonly type: string | undefined;
  readonly payload: Uint8Array;
  readonly contentType: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly enqueueTime: Date | undefined;
}

/** How one attempt ended. */
export interface AttemptResult {
  readonly success: boolean;
  /** What the handler returned, as bytes. */
  readonly result: Uint8Array;
  /** "" after success. */
  readonly errorMessage: string;
  /** The class of the error, such as `TypeError`, `timeout` or `worker_lost`; "" after success. */
  readonly errorType: string;
  /** From delivery to settlement, in ms, as the broker saw it. */
  readonly durationMs: number;
  readonly workerId: string;
  readonly endTime: Date | undefined;
}

/** One attempt that ended. */
export interface Attempt {
  /** Its number, from 1. A lost delivery has the number of the attempt that followed it. */
  readonly attempt: number;
  /** "lost": its worker was lost, and no retry was spent. "unknown": as this version of the client does not know. */
  readonly outcome: "completed" | "failed" | "lost" | "cancelled" | "unknown";
  readonly workerId: string;
  /** From when the task was ready, or due, to the delivery, in ms. */
  readonly waitMs: number;
  /** From the delivery to the end, in ms. */
  readonly durationMs: number;
  readonly endTime: Date | undefined;
  /** "" after success, as the two below. */
  readonly errorType: string;
  readonly errorMessage: string;
  /** Where it went wrong, as the worker told. */
  readonly errorStack: string;
}

const OUTCOMES: Readonly<Record<number, Attempt["outcome"]>> = {
  [Outcome.COMPLETED]: "completed",
  [Outcome.FAILED]: "failed",
  [Outcome.LOST]: "lost",
  [Outcome.CANCELLED]: "cancelled",
};

/** From the contract to what callers see. */
export function toTaskStatus({
  task,
  state,
  attempt,
  lostCount,
  runTime,
  workerId,
  progressPercent,
  progressDetail,
  lastResult,
  attempts,
  waitingReason,
}: ProtoTaskStatus): TaskStatus {
  return {
    taskId: task?.id ?? "",
    queue: task?.queue ?? "",
    state: TASK_STATES[state] ?? "unknown",
    attempt,
    lostCount,
    runTime: toDate(runTime),
    workerId: workerId || undefined,
    progressPercent,
    progressDetail,
    lastResult: lastResult && toAttemptResult(lastResult),
    attempts: attempts.map(toAttempt),
    waitingReason,
    type: task?.type || undefined,
    payload: task?.payload ?? new Uint8Array(),
    contentType: task?.contentType || undefined,
    headers: task?.headers ?? {},
    priority: task?.priority ?? 0,
    enqueueTime: toDate(task?.enqueueTime),
  };
}

function toAttemptResult({ duration, endTime, ...rest }: ProtoAttemptResult): AttemptResult {
  return {
    ...rest,
    durationMs: toMs(duration),
    endTime: toDate(endTime),
  };
}

function toAttempt({ outcome, wait, duration, endTime, ...rest }: ProtoAttempt): Attempt {
  return {
    ...rest,
    outcome: OUTCOMES[outcome] ?? "unknown",
    waitMs: toMs(wait),
    durationMs: toMs(duration),
    endTime: toDate(endTime),
  };
}
