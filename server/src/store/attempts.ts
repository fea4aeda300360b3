/** The attempts that are kept with a task: made, bounded, and written by both stores in one form. */
import { pack, unpack } from "msgpackr";
import { LIMITS } from "../domain/limits.ts";
import type { Attempt, AttemptResult, Failure } from "./store.ts";

/** What an attempt began with, as the record of its task has it. */
export interface Begun {
  readonly attempt: number;
  readonly enqueuedAtMs: number;
  /** When it was due, if it was scheduled; else 0. */
  readonly runAtMs: number;
}

/** An attempt that ended with a failure: it failed, was lost, or was cancelled. */
export function failedAttempt(
  begun: Begun,
  outcome: Exclude<Attempt["outcome"], "completed">,
  failure: Failure,
  endedAtMs: number,
): Attempt {
  const { durationMs, workerId } = failure;
  return {
    attempt: begun.attempt,
    outcome,
    failure,
    waitMs: waitOf(begun, durationMs, endedAtMs),
    durationMs,
    workerId,
    endedAtMs,
  };
}

/** An attempt as its result tells of it. */
export function attemptOf(begun: Begun, result: AttemptResult): Attempt {
  const { success, failure, durationMs, workerId, endedAtMs } = result;
  const waitMs = waitOf(begun, durationMs, endedAtMs);
  const outcome = success ? "completed" : "cancelled";
  return { attempt: begun.attempt, outcome, failure, waitMs, durationMs, workerId, endedAtMs };
}

/** From when it was ready, or due, to its delivery; 0 where nobody told how long it ran. */
function waitOf({ enqueuedAtMs, runAtMs }: Begun, durationMs: number, endedAtMs: number): number {
  const readyAtMs = Math.max(enqueuedAtMs, runAtMs);
  return readyAtMs === 0 ? 0 : Math.max(0, endedAtMs - durationMs - readyAtMs);
}

/** Newest first: the new one, and as many of the others as may be kept. */
export function keepAttempt(attempt: Attempt, others: readonly Attempt[]): readonly Attempt[] {
  const kept = [attempt];
  let letters = lettersOf(attempt);
  for (const other of others) {
    letters += lettersOf(other);
    if (kept.length === LIMITS.attemptsKept || letters > LIMITS.attemptsLength) break;
    kept.push(other);
  }
  return kept;
}

function lettersOf({ failure }: Attempt): number {
  return failure ? failure.type.length + failure.message.length + failure.stack.length : 0;
}

/** The result of the last attempt of a task that has not completed: a lost delivery has none. */
export function lastFailureOf(attempts: readonly Attempt[]): AttemptResult | undefined {
  const last = attempts.find(({ outcome }) => outcome !== "lost");
  if (!last) return undefined;
  const { failure, durationMs, workerId, endedAtMs } = last;
  return { success: false, result: undefined, failure, durationMs, workerId, endedAtMs };
}

const OUTCOMES = ["completed", "failed", "lost", "cancelled"] as const satisfies readonly Attempt["outcome"][];

type Fields = [
  attempt: number,
  outcome: number,
  waitMs: number,
  durationMs: number,
  workerId: string,
  endedAtMs: number,
  type: string | null,
  message: string,
  stack: string,
];

export function encodeAttempts(attempts: readonly Attempt[]): Buffer {
  return pack(
    attempts.map(({ attempt, outcome, failure, waitMs, durationMs, workerId, endedAtMs }): Fields => {
      const { type = null, message = "", stack = "" } = failure ?? {};
      return [attempt, OUTCOMES.indexOf(outcome), waitMs, durationMs, workerId, endedAtMs, type, message, stack];
    }),
  );
}

export function decodeAttempts(bytes: Uint8Array): readonly Attempt[] {
  // Only encodeAttempts writes these.
  return (unpack(bytes) as Fields[]).map(
    ([attempt, outcome, waitMs, durationMs, workerId, endedAtMs, type, message, stack]) => ({
      attempt,
      outcome: OUTCOMES[outcome] ?? "failed",
      failure: type === null ? undefined : { type, message, stack, durationMs, workerId },
      waitMs,
      durationMs,
      workerId,
      endedAtMs,
    }),
  );
}
