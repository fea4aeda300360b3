/** A distribution of times as it grows. */
import { build } from "hdr-histogram-js";
import type { Percentiles } from "./protocol.ts";

const MICROS_PER_MS = 1_000;

export class Times {
  readonly #histogram = build({ numberOfSignificantValueDigits: 3, highestTrackableValue: 600_000_000 });

  record(ms: number): void {
    this.#histogram.recordValue(Math.max(0, Math.round(ms * MICROS_PER_MS)));
  }

  /** What was recorded since this was called before. */
  take(): Percentiles {
    const at = (percentile: number) => this.#histogram.getValueAtPercentile(percentile) / MICROS_PER_MS;
    const count = this.#histogram.totalCount;
    const percentiles = { count, p50: at(50), p95: at(95), p99: at(99), max: this.#histogram.maxValue / MICROS_PER_MS };
    this.#histogram.reset();
    return percentiles;
  }
}
