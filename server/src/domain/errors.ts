/** Everything that can go wrong in a call, with whether the same call may succeed later. */
export const ERRORS = {
  INVALID_ARGUMENT: { retryable: false, sentence: "A field of the request is wrong; all wrong fields are listed." },
  BATCH_TOO_LARGE: { retryable: false, sentence: "The batch has more tasks than one call may carry." },
  TASK_NOT_FOUND: { retryable: false, sentence: "No such task, or its result is no longer kept." },
  QUEUE_NOT_FOUND: { retryable: false, sentence: "No such queue: it never had a task." },
  QUEUE_NEEDED: { retryable: false, sentence: "An id chosen by the caller is found only together with its queue." },
  TASK_ENDED: { retryable: false, sentence: "The task has ended already; there is nothing to cancel." },
  TASK_NOT_DEAD: {
    retryable: false,
    sentence: "Only dead tasks can be revived or deleted, and one of those named is not.",
  },
  ALL_NEEDED: {
    retryable: false,
    sentence: "A selection that may touch every dead task must say so, by `all` or by naming a queue.",
  },
  BATCH_ABOVE_BURST: {
    retryable: false,
    sentence: "The batch is larger than the burst of its queue's limit, so it would never be accepted.",
  },
  RATE_LIMITED: { retryable: true, sentence: "The queue takes tasks at a limited rate, and it is used up now." },
  HELLO_EXPECTED: {
    retryable: false,
    sentence: "The first frame of Subscribe must be Hello, within 10 s, and only the first.",
  },
  TOO_MANY_QUEUES: { retryable: false, sentence: "The broker has as many queues as it may hold." },
  TOO_MANY_SESSIONS: { retryable: true, sentence: "The broker has as many sessions as it may hold." },
  STORE_FULL: { retryable: true, sentence: "The store has no room for more tasks; workers can still settle theirs." },
  STORE_UNAVAILABLE: { retryable: true, sentence: "The store cannot be reached now." },
  DRAINING: { retryable: true, sentence: "The broker is stopping; another one serves." },
  SESSION_TIMED_OUT: { retryable: true, sentence: "The worker was silent for longer than its session timeout." },
} as const satisfies Record<string, { retryable: boolean; sentence: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** One wrong field of a request. */
export interface FieldViolation {
  /** Its path, such as `tasks[3].type`. */
  readonly field: string;
  /** The value, and what is allowed. */
  readonly description: string;
}

export interface ErrorDetails {
  readonly fields?: readonly FieldViolation[];
  /** When the same call may succeed. */
  readonly retryAfterMs?: number;
  /** What the message names, for programs. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * The one error of the broker. When `effect` is "none" the call changed nothing, and the client is told so; after "unknown"
 * it may have happened, as when the connection to the store broke before the answer.
 */
export class TaskwireError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly effect: "none" | "unknown";

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, effect: "none" | "unknown" = "none") {
    super(message, { cause: details.cause });
    this.name = "TaskwireError";
    this.code = code;
    this.details = details;
    this.effect = effect;
  }

  /** The same, after something may have happened all the same. */
  withUnknownEffect(message = this.message): TaskwireError {
    return new TaskwireError(this.code, message, this.details, "unknown");
  }
}

/** The store cannot be reached. `effect` says whether the operation may have happened. */
export function storeUnavailable(cause: unknown, effect: "none" | "unknown"): TaskwireError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TaskwireError(
    "STORE_UNAVAILABLE",
    `the store cannot be reached: ${reason}`,
    { retryAfterMs: 1_000, cause },
    effect,
  );
}

/** The broker is stopping. `advice` says where to go instead. */
export function draining(advice: string, retryAfterMs = 1_000): TaskwireError {
  return new TaskwireError("DRAINING", `this broker is stopping: ${advice}`, { retryAfterMs });
}

/** The store refused a write for lack of room; nothing was changed. */
export function storeFull(cause: unknown): TaskwireError {
  const message = "the store is full: let workers drain it, delete dead tasks, or give it more memory or disk";
  return new TaskwireError("STORE_FULL", message, { retryAfterMs: 5_000, cause });
}
