import {
  type Attempt as AttemptMessage,
  type AttemptResult as AttemptResultMessage,
  Task,
  type TaskStatus,
  type Timestamp,
} from "@taskwire/proto";
import { taskId } from "../../domain/ids.ts";
import { LIMITS } from "../../domain/limits.ts";
import type { TaskState } from "../../domain/state.ts";
import type { Attempt, AttemptResult, Durability, TaskSnapshot } from "../../store/store.ts";
import { toDuration } from "../status.ts";

export const STATE = {
  scheduled: 1,
  ready: 2,
  active: 3,
  completed: 4,
  dead: 5,
  cancelled: 6,
} as const satisfies Record<TaskState, number>;

export const DURABILITY = { volatile: 1, async: 2, fsync: 3, replicated: 4 } as const satisfies Record<
  Durability,
  number
>;

export function toTimestamp(ms: number): Timestamp {
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 };
}

/** A task for people: what the store knows of it, and what the session that holds it adds. */
export function presentTask(snapshot: TaskSnapshot, held: HeldBy | undefined): TaskStatus {
  const { queue, key, body, state, attempt, lostCount, enqueuedAtMs, runAtMs, lastResult, attempts } = snapshot;
  const task = body ? Task.decode(body) : Task.fromPartial({});
  task.id = taskId(queue, key);
  task.queue = queue;
  task.enqueueTime = enqueuedAtMs > 0 ? toTimestamp(enqueuedAtMs) : undefined;
  return {
    task,
    state: STATE[state],
    attempt,
    lostCount,
    runTime: state === "scheduled" ? toTimestamp(runAtMs) : undefined,
    workerId: held?.workerId ?? "",
    lastResult: lastResult && presentResult(lastResult),
    progressPercent: held?.percent ?? 0,
    progressDetail: held?.detail ?? new Uint8Array(),
    attempts: attempts.map(presentAttempt),
    waitingReason: "",
  };
}

/** One of many tasks: without a payload that is large. */
export function presentListed(snapshot: TaskSnapshot, held: HeldBy | undefined): TaskStatus {
  const status = presentTask(snapshot, held);
  if (status.task && status.task.payload.length > LIMITS.listedPayloadBytes) status.task.payload = new Uint8Array();
  return status;
}

const OUTCOME = { completed: 1, failed: 2, lost: 3, cancelled: 4 } as const satisfies Record<
  Attempt["outcome"],
  number
>;

function presentAttempt(attempt: Attempt): AttemptMessage {
  const { outcome, failure, waitMs, durationMs, workerId, endedAtMs } = attempt;
  return {
    attempt: attempt.attempt,
    outcome: OUTCOME[outcome],
    workerId,
    wait: toDuration(waitMs),
    duration: toDuration(durationMs),
    endTime: toTimestamp(endedAtMs),
    errorType: failure?.type ?? "",
    errorMessage: failure?.message ?? "",
    errorStack: failure?.stack ?? "",
  };
}

/** What the session that holds a task knows of it. */
export interface HeldBy {
  readonly workerId: string;
  readonly deliveredAtMs: number;
  readonly percent: number;
  readonly detail: Uint8Array;
}

function presentResult({
  success,
  result,
  failure,
  durationMs,
  workerId,
  endedAtMs,
}: AttemptResult): AttemptResultMessage {
  return {
    success,
    result: result ?? new Uint8Array(),
    errorMessage: failure?.message ?? "",
    errorType: failure?.type ?? "",
    duration: toDuration(durationMs),
    workerId,
    endTime: toTimestamp(endedAtMs),
  };
}
