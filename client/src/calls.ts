/** The calls that only ask: each may be made again, on any broker, until its caller's patience ends. */
import { status as Code } from "@grpc/grpc-js";
import { ClientError, type CallOptions as GrpcCallOptions } from "nice-grpc";
import type { Brokers } from "./brokers.ts";
import type { Connection } from "./connection/index.ts";
import { DeadlineExceeded } from "./errors.ts";
import type { Patience } from "./patience.ts";
import { isTransient, parseTrailer, type Refusal, STATUS_DETAILS_KEY, toError } from "./status.ts";

/** What one try needs: hand it to the call. */
export type TryOptions = Required<Pick<GrpcCallOptions, "signal" | "onTrailer">>;

/** Makes one try on a connection. */
export type Try<Response> = (connection: Connection, options: TryOptions) => Promise<Response>;

/** Tries until an answer comes that no other broker would change. */
export async function ask<Response>(brokers: Brokers, patience: Patience, attempt: Try<Response>): Promise<Response> {
  for (let failures = 1; ; failures++) {
    patience.throwIfAborted();
    const connection = brokers.current();
    let details: unknown;
    try {
      return await attempt(connection, {
        signal: patience.signal,
        onTrailer: (trailer) => {
          details = trailer.get(STATUS_DETAILS_KEY);
        },
      });
    } catch (error) {
      await recover(error, details, { brokers, patience, connection, failures, deadlineAt: patience.deadlineAt });
    }
  }
}

interface Failed {
  readonly brokers: Brokers;
  readonly patience: Patience;
  readonly connection: Connection;
  /** When there is to be no further try. */
  readonly deadlineAt: number;
  /** In a row, with this one. */
  readonly failures: number;
}

/** Returns when it is time for another try; throws when there is to be none. */
export async function recover(error: unknown, details: unknown, failed: Failed): Promise<void> {
  const { brokers, patience, connection, deadlineAt, failures } = failed;
  patience.throwIfAborted();
  if (patience.signal.aborted) {
    throw new DeadlineExceeded("no answer until the deadline", { code: "DEADLINE_EXCEEDED", cause: error });
  }
  if (!(error instanceof ClientError)) throw error;
  const refusal = parseTrailer(error.code, error.details, details);
  if (!mayTryAgain(refusal)) throw toError(refusal);
  brokers.moveOn(connection);
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
