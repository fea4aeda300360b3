import type { TaskOptions } from "./options.ts";
import { retryDelayMs } from "./retry.ts";

/** What is to become of a task whose attempt failed. */
export type Verdict = { readonly kind: "retry"; readonly delayMs: number } | { readonly kind: "bury" };

/**
 * Retry while retries are left, then bury.
 * @param ownDelayMs the delay that the worker asked for instead of the policy's
 */
export function judge(options: TaskOptions, attempt: number, ownDelayMs: number | undefined): Verdict {
  const delayMs = retryDelayMs(options, attempt, Math.random);
  return delayMs === undefined ? { kind: "bury" } : { kind: "retry", delayMs: ownDelayMs ?? delayMs };
}

/** "30s", "1.5s", "250ms": as people write durations. */
export function durationText(ms: number): string {
  return ms < 1_000 ? `${ms}ms` : `${Number((ms / 1_000).toFixed(3))}s`;
}
