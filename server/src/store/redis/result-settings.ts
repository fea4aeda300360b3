import type { StoreOptions } from "../store.ts";

/** Results of one queue are spread over about this many buckets: so exact are the cap and the time. */
const BUCKETS = 8;

export interface ResultSettings {
  readonly ttlMs: number;
  /** How long one bucket is filled. */
  readonly spanMs: number;
  /** How many results one bucket takes. */
  readonly share: number;
  readonly max: number;
}

export function resultSettings({ resultTtlMs, maxResultsPerQueue }: StoreOptions): ResultSettings {
  return {
    ttlMs: resultTtlMs,
    spanMs: Math.max(1, Math.ceil(resultTtlMs / BUCKETS)),
    share: Math.max(1, Math.floor(maxResultsPerQueue / BUCKETS)),
    max: maxResultsPerQueue,
  };
}
