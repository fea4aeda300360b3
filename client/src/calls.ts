/** The calls that only ask: each may be made again, on any broker, until its caller's patience ends. */
import { status as Code } from "@grpc/grpc-js";
import { Attempt } from "./attempt.ts";
import type { Brokers } from "./brokers.ts";
import { DeadlineExceeded } from "./errors.ts";
import type { Patience } from "./patience.ts";
import { isTransient, type Refusal, toError } from "./status.ts";

/**
 * Tries until an answer comes that no other broker would change.
 * @param unanswered what to say when none came: "no answer"
 */
export async function ask<Response>(
  brokers: Brokers,
  patience: Patience,
  call: (attempt: Attempt) => Promise<Response>,
  unanswered: string,
): Promise<Response> {
  for (let failures = 1; ; failures++) {
    patience.throwIfAborted();
    const attempt = new Attempt(brokers.current(), patience.signal);
    try {
      return await call(attempt);
    } catch (error) {
      await recover(error, { brokers, patience, attempt, failures, deadlineAt: patience.deadlineAt, unanswered });
    } finally {
      attempt.end();
    }
  }
}

interface Failed {
  readonly brokers: Brokers;
  readonly patience: Patience;
  readonly attempt: Attempt;
  /** When there is to be no further try. */
  readonly deadlineAt: number;
  /** In a row, with this one. */
  readonly failures: number;
  readonly unanswered: string;
}

/** Returns when it is time for another try; throws when there is to be none. */
export async function recover(error: unknown, failed: Failed): Promise<void> {
  const { brokers, patience, attempt, deadlineAt, failures, unanswered } = failed;
  patience.throwIfAborted();
  if (patience.signal.aborted) {
    const message = `${unanswered} within ${patience.deadlineMs} ms`;
    throw new DeadlineExceeded(message, { code: "DEADLINE_EXCEEDED", cause: error });
  }
  const refusal = attempt.refusal(error);
  if (!refusal) throw error;
  if (!mayTryAgain(refusal)) throw toError(refusal);
  brokers.moveOn(attempt.connection);
  const pauseMs = brokers.backoffMs(failures, refusal.retryAfterMs);
  const leftMs = deadlineAt - performance.now();
  // There is no point in waiting for a time that the broker named when the call will be over by then.
  if (refusal.retryAfterMs !== undefined && pauseMs >= leftMs) throw toError(refusal);
  await patience.pause(Math.min(pauseMs, leftMs));
  patience.throwIfAborted();
  if (pauseMs >= leftMs) throw toError(refusal);
}

function mayTryAgain(refusal: Refusal): boolean {
  if (isTransient(refusal)) return true;
  return refusal.code === Code.RESOURCE_EXHAUSTED && refusal.retryAfterMs !== undefined;
}
