import type { RetryPolicy, TaskOptions } from "./options.ts";

/**
 * How long to wait before the next attempt, or undefined when `attempt` was the last.
 * @param attempt the number of the attempt that failed, from 1
 * @param random from 0 to 1; draws the jitter
 */
export function retryDelayMs(options: TaskOptions, attempt: number, random: () => number): number | undefined {
  if (attempt > options.maxRetries) return undefined;
  const { retry } = options;
  const delay = Math.min(
    retry.delaysMs.length > 0 ? listed(retry.delaysMs, attempt) : grown(retry, attempt),
    retry.maxMs,
  );
  return Math.round(delay * (1 - retry.jitter * random()));
}

function listed(delays: readonly number[], attempt: number): number {
  return delays[Math.min(attempt, delays.length) - 1] ?? 0;
}

function grown({ backoff, baseMs }: RetryPolicy, retry: number): number {
  switch (backoff) {
    case "quadratic":
      return baseMs * retry * retry;
    case "linear":
      return baseMs * retry;
    case "fixed":
      return baseMs;
    case "exponential":
      // Past 2^40 every base of at least 1 ms exceeds any cap; and a base of 0 must stay 0, so the power is kept finite.
      return baseMs * 2 ** Math.min(retry - 1, 60);
  }
}
