/** One wrong field of a task. */
export interface FieldViolation {
  /** Its name in the contract, such as `type` or `headers`. */
  readonly field: string;
  /** The value, and what is allowed. */
  readonly description: string;
}

/** What is known of an error beyond its sentence. */
export interface ErrorFacts {
  /** The name of the gRPC status. */
  readonly code: string;
  /** The reason that the broker gave; "" when it gave none. */
  readonly reason?: string;
  /** When the same call may succeed, in ms. */
  readonly retryAfterMs?: number | undefined;
  readonly effect?: "none" | "unknown";
  readonly cause?: unknown;
}

/**
 * The base of all errors of this package. Thrown as itself when nothing better is known than what the broker said, and
 * after the client was closed.
 */
export class TaskwireError extends Error {
  /** The name of the gRPC status, such as `UNAVAILABLE`. */
  readonly code: string;
  /** The reason that the broker gave, such as `STORE_FULL`; see the list of errors in its documentation. "" when it gave none. */
  readonly reason: string;
  /** When the same call may succeed, in ms; undefined when nobody said. */
  readonly retryAfterMs: number | undefined;
  /**
   * "none": nothing was enqueued. "unknown": the tasks may have been enqueued, or may yet be; to enqueue them again without
   * doing the work twice, give them a `taskId`.
   */
  readonly effect: "none" | "unknown";

  constructor(message: string, { code, reason = "", retryAfterMs, effect = "none", cause }: ErrorFacts) {
    super(message, { cause });
    this.name = new.target.name;
    this.code = code;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.effect = effect;
  }
}

/** Thrown when the broker refused a task because fields of it are wrong. The same task will never be accepted. */
export class InvalidTask extends TaskwireError {
  /** All wrong fields. */
  readonly fields: readonly FieldViolation[];

  constructor(message: string, fields: readonly FieldViolation[], facts: ErrorFacts) {
    super(message, facts);
    this.fields = fields;
  }
}

/** Thrown when no task has the id, or its result is no longer kept. */
export class TaskNotFound extends TaskwireError {}

/** Thrown when no broker could be reached until the deadline, or those that could were stopping or without their store. */
export class Unavailable extends TaskwireError {}

/**
 * Thrown when there is no room for the task: the store is full, the broker has as many queues as it may have, the queue takes
 * tasks at a limited rate (reason `RATE_LIMITED`), or too many tasks wait in this client (reason `CLIENT_BUFFER_FULL`). Slow down, and try again after `retryAfterMs` if that is set.
 */
export class ResourceExhausted extends TaskwireError {}

/** Thrown when a broker was there but did not answer until the deadline; from `result` and `await` when the task has not ended. */
export class DeadlineExceeded extends TaskwireError {}

/** Thrown when the caller's signal was aborted. `cause` is the reason of the signal; `name` is `AbortError`, as elsewhere. */
export class AbortError extends TaskwireError {}

/** What `TaskFailed` tells of a task. */
export interface FailedTask {
  readonly taskId: string;
  readonly state: "dead" | "cancelled";
  /** The class of the last error, such as `TypeError`, `timeout` or `worker_lost`. */
  readonly errorType: string;
  readonly errorMessage: string;
  /** The number of the last attempt. */
  readonly attempt: number;
}

/** Thrown by `result` when the task ended without success. */
export class TaskFailed extends TaskwireError implements FailedTask {
  readonly taskId: string;
  /** "dead": out of retries, or refused for good. "cancelled": ended on purpose, by its handler. */
  readonly state: "dead" | "cancelled";
  readonly errorType: string;
  readonly errorMessage: string;
  readonly attempt: number;

  constructor({ taskId, state, errorType, errorMessage, attempt }: FailedTask) {
    super(`task ${taskId} is ${state} after attempt ${attempt}: ${errorMessage || errorType || "no reason given"}`, {
      code: "ABORTED",
    });
    this.taskId = taskId;
    this.state = state;
    this.errorType = errorType;
    this.errorMessage = errorMessage;
    this.attempt = attempt;
  }
}

/** Thrown by `enqueueMany` when at least one task was not, or perhaps not, enqueued. */
export class SomeNotEnqueued<Enqueued = unknown> extends TaskwireError {
  /** One entry for each task that was taken from the input, in order: what became of it, or why it failed. */
  readonly results: readonly (Enqueued | TaskwireError)[];
  /** How many of them failed. */
  readonly failedCount: number;

  constructor(results: readonly (Enqueued | TaskwireError)[], first: TaskwireError, failedCount: number) {
    const { code, reason, retryAfterMs } = first;
    const effect = results.some((result) => result instanceof TaskwireError && result.effect === "unknown")
      ? "unknown"
      : "none";
    super(`${failedCount} of ${results.length} tasks were not enqueued, the first because ${first.message}`, {
      code,
      reason,
      retryAfterMs,
      effect,
      cause: first,
    });
    this.results = results;
    this.failedCount = failedCount;
  }
}
