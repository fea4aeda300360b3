/**
 * How many tasks a queue accepts. The generic cell rate algorithm, counted in tasks: `used` is how far its theoretical arrival
 * time lies ahead, divided by the time of one task. Whole numbers stay whole, where times would round.
 */
import type { EnqueueRate } from "../store.ts";

/** Far below one task, far above what rounding adds up to. */
const TINY = 1e-6;

export type Admission =
  | { readonly kind: "admitted"; readonly use: RateUse }
  | { readonly kind: "limited"; readonly retryAfterMs: number }
  | { readonly kind: "above-burst" };

/** How much of a burst was used up at a time. */
export interface RateUse {
  readonly used: number;
  readonly atMs: number;
}

export const UNUSED: RateUse = { used: 0, atMs: 0 };

export function admit({ perSecond, burst }: EnqueueRate, use: RateUse, count: number, nowMs: number): Admission {
  if (count > burst) return { kind: "above-burst" };
  // A clock that was set back gives nothing.
  const givenBack = (Math.max(0, nowMs - use.atMs) * perSecond) / 1_000;
  const used = Math.max(0, use.used - givenBack) + count;
  if (used > burst + TINY)
    return { kind: "limited", retryAfterMs: Math.max(1, Math.ceil(((used - burst) * 1_000) / perSecond)) };
  return { kind: "admitted", use: { used, atMs: Math.max(nowMs, use.atMs) } };
}
