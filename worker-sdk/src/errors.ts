import { checkMs } from "./wire-time.ts";

/** When to try again: in so many milliseconds, or at a time. */
export type RetryAfter = number | { readonly after: number | Date };

/**
 * Throw it from a handler to have the task tried again after a delay of your own instead of its policy's. It spends a
 * retry like any other failure: when none is left, the task is dead.
 *
 * @example
 * ```ts
 * if (response.status === 429) throw new Retry(30_000, "rate limited");
 * ```
 */
export class Retry extends Error {
  override readonly name = "Retry";
  /** The delay, in ms. */
  readonly afterMs: number;

  /**
   * @param after the delay in ms, or `{ after }` with a delay in ms or a Date. A Date in the past means at once
   * @throws RangeError when the delay is negative, not a number or above 10 years
   */
  constructor(after: RetryAfter, message = "retry asked for", options?: ErrorOptions) {
    super(message, options);
    const wanted = typeof after === "number" ? after : after.after;
    const ms = wanted instanceof Date ? Math.max(0, wanted.getTime() - Date.now()) : wanted;
    this.afterMs = checkMs("Retry: after", ms);
  }
}

/** Throw it from a handler when the task is not worth keeping: it ends as CANCELLED, and no retry follows. */
export class Discard extends Error {
  override readonly name = "Discard";
}

/** Throw it from a handler when trying again would not help: the task is DEAD at once, to be looked at and revived. */
export class Bury extends Error {
  override readonly name: string = "Bury";
}

/**
 * Throw it from a handler that cannot work on the task now: it goes back and is handed out again after a while. No
 * attempt is spent.
 */
export class Snooze extends Error {
  override readonly name = "Snooze";
  /** How long it stays away, in ms. */
  readonly afterMs: number;

  /**
   * @param afterMs how long it stays away, in ms
   * @throws RangeError when it is negative, not a number or above 10 years
   */
  constructor(afterMs: number) {
    super(`snoozed for ${afterMs} ms`);
    this.afterMs = checkMs("Snooze: afterMs", afterMs);
  }
}

/** Why a task was taken away from its handler. `revoked`: the broker has a reason that this version does not know. */
export type CancelReason = "timeout" | "cancelled" | "revoked" | "shutdown";

const CANCEL_SENTENCES: Record<CancelReason, string> = {
  timeout: "the task ran longer than its timeout; the attempt has failed",
  cancelled: "somebody cancelled the task",
  revoked: "the broker took the task back",
  shutdown: "the worker is shutting down; the task goes back to the queue",
};

/** The reason of `ctx.signal`: what the handler returns or throws after it no longer counts. */
export class TaskCancelled extends Error {
  override readonly name = "TaskCancelled";
  readonly reason: CancelReason;

  constructor(reason: CancelReason) {
    super(CANCEL_SENTENCES[reason]);
    this.reason = reason;
  }
}

/** The payload says that it is JSON, and is not. No retry can help, so the task is buried. */
export class InvalidPayload extends Bury {
  override readonly name = "InvalidPayload";

  constructor(type: string, { cause }: { cause: unknown }) {
    super(
      `the payload of this ${type} task is not JSON, though its content type is application/json: ${String(cause)}`,
      { cause },
    );
  }
}

/** What the handler returned cannot be kept. The work is done and must not be repeated, so the task is buried. */
export class InvalidResult extends Bury {
  override readonly name = "InvalidResult";
}
