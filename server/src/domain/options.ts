/** How a task wants to be run. Most tasks want the defaults, and then none of this is stored with them. */
export interface TaskOptions {
  /** How many failed attempts are followed by another. */
  readonly maxRetries: number;
  readonly retry: RetryPolicy;
  /** How long one attempt may take, from its delivery. */
  readonly timeoutMs: number;
}

export interface RetryPolicy {
  readonly backoff: "quadratic" | "exponential" | "linear" | "fixed";
  readonly baseMs: number;
  /** No delay is longer than this. */
  readonly maxMs: number;
  /** From 0 to 1: the share of a delay that is random. */
  readonly jitter: number;
  /** One delay for each retry instead of the formula; the last serves all further ones. Empty: the formula. */
  readonly delaysMs: readonly number[];
}

export const DEFAULT_RETRY: RetryPolicy = {
  backoff: "quadratic",
  baseMs: 1_000,
  maxMs: 60 * 60 * 1_000,
  jitter: 0,
  delaysMs: [],
};

export const DEFAULT_OPTIONS: TaskOptions = { maxRetries: 3, retry: DEFAULT_RETRY, timeoutMs: 30_000 };
