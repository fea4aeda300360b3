import type { CallOptions } from "./options.ts";

/**
 * The input of a handler. A `Uint8Array` (a `Buffer` is one) goes as it is; everything else as JSON, the way
 * `JSON.stringify` writes it. `null` for a task without input.
 */
export type Payload = Uint8Array | object | string | number | boolean | null;

/** How long to wait before each retry of a task. */
export interface RetryPolicy {
  /**
   * How the delay grows with the number n of the retry, from 1: base × n², base × 2^(n-1), base × n, or base.
   * @defaultValue "quadratic"
   */
  readonly backoff?: "quadratic" | "exponential" | "linear" | "fixed";
  /**
   * The unit of the formula, in ms.
   * @defaultValue 1,000
   */
  readonly baseMs?: number;
  /**
   * No delay is longer than this, in ms.
   * @defaultValue 1 h; with `delaysMs`, none
   */
  readonly maxMs?: number;
  /**
   * From 0 to 1: the share of each delay that is drawn at random.
   * @defaultValue 0
   */
  readonly jitter?: number;
  /** A delay for each retry, in ms, instead of the formula; the last one serves all further retries. */
  readonly delaysMs?: readonly number[];
}

/** How a task is to be handled. What is left out is the broker's default. */
export interface TaskOptions {
  /**
   * The line to stand in.
   * @defaultValue the type, with `/` as `.`
   */
  readonly queue?: string | undefined;
  /**
   * An id of your own, unique within its queue: enqueuing it again answers with the task that exists.
   * @defaultValue made by the broker
   */
  readonly taskId?: string | undefined;
  /**
   * Higher is handed out first.
   * @defaultValue 0
   */
  readonly priority?: number | undefined;
  /** Not before this long from now, in ms, by the clock of the store. Not together with `runAt`. */
  readonly delayMs?: number | undefined;
  /** Not before this time. A time in the past means at once. Not together with `delayMs`. */
  readonly runAt?: Date | undefined;
  /**
   * How many times a failed attempt is tried again.
   * @defaultValue 3
   */
  readonly maxRetries?: number | undefined;
  /** How long to wait before each retry. */
  readonly retry?: RetryPolicy | undefined;
  /**
   * How long one attempt may take, in ms.
   * @defaultValue 30,000
   */
  readonly timeoutMs?: number | undefined;
  /** Anything that travels with the task, such as a trace context. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * The media type of the payload.
   * @defaultValue `application/json` for a payload that goes as JSON, else none
   */
  readonly contentType?: string | undefined;
}

/** How a task is to be handled, and how long to try to enqueue it. */
export interface EnqueueOptions extends TaskOptions, CallOptions {}

/** One task for `enqueueMany`. */
export interface NewTask extends TaskOptions {
  /** What kind of work; picks the handler. */
  readonly type: string;
  readonly payload: Payload;
}
