import type { Sketch } from "../lib/sketch.ts";

/** How long something took. All are 0 when nothing was measured. */
export interface Percentiles {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** How many were measured. */
  readonly count: number;
}

export function percentilesOf(sketch: Sketch): Percentiles {
  return {
    p50Ms: sketch.quantile(0.5),
    p95Ms: sketch.quantile(0.95),
    p99Ms: sketch.quantile(0.99),
    count: sketch.count,
  };
}
