/** Bounds of a backoff, in ms. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait before try number `attempt` (from 1): exponential with full jitter, so that clients that lost the same
 * broker do not come back together. The formula is the one of Marc Brooker, "Exponential Backoff And Jitter" (AWS, 2015).
 */
export function jitteredBackoffMs(
  attempt: number,
  { minMs, maxMs }: Backoff,
  random: () => number = Math.random,
): number {
  // Beyond 2^30 the cap has long been reached; the bound keeps the power finite.
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return minMs + Math.round(random() * (ceiling - minMs));
}
