/** What the handlers of the benchmark do, and what is recorded about them. */
import { setTimeout as sleep } from "node:timers/promises";
import { build, type Histogram } from "hdr-histogram-js";
import { monotonicMs } from "./clock.ts";
import { stampIn } from "./payload.ts";
import type { Percentiles, Span, Work } from "./protocol.ts";
import type { Handle } from "./taker.ts";

const MICROS_PER_MS = 1_000;

/** The record of all handlers of one process. */
export class Shift {
  #began = 0;
  #ended = 0;
  #beginWaiter: { readonly number: number; readonly resolve: (at: number) => void } | undefined;
  #lastBeganAt = 0;
  #firstEndedAt = 0;
  readonly #expected: number;
  readonly #allEnded: Promise<Span>;
  #resolveAllEnded: (span: Span) => void = () => undefined;
  readonly #histogram: Histogram = build({ numberOfSignificantValueDigits: 3, highestTrackableValue: 600_000_000 });
  readonly #spans: Span[] = [];
  #letGo = new AbortController();

  constructor(expected: number) {
    this.#expected = expected;
    this.#allEnded = new Promise((resolve) => {
      this.#resolveAllEnded = resolve;
    });
  }

  /** The handler that does `work` and records it here. */
  handler(work: Work): Handle {
    switch (work.kind) {
      case "nothing":
        return () => this.#end();
      case "latency":
        return (payload) => this.#record(monotonicMs() - stampIn(payload));
      case "lateness":
        return (payload) => this.#record(Date.now() - stampIn(payload));
      case "sleep":
        return (payload, attempt) => this.#sleep(work, stampIn(payload), attempt);
      case "hold":
        return () => this.#hold();
    }
  }

  /** Resolves once the expected handlers have ended well, with when the first and the last of them did. */
  ended(): Promise<Span> {
    return this.#allEnded;
  }

  began(number: number): Promise<number> {
    if (this.#began >= number) return Promise.resolve(this.#lastBeganAt);
    return new Promise((resolve) => {
      this.#beginWaiter = { number, resolve };
    });
  }

  letGo(): void {
    this.#letGo.abort();
    this.#letGo = new AbortController();
  }

  recorded(): Percentiles {
    const at = (percentile: number) => this.#histogram.getValueAtPercentile(percentile) / MICROS_PER_MS;
    const count = this.#histogram.totalCount;
    const percentiles = { count, p50: at(50), p95: at(95), p99: at(99), max: this.#histogram.maxValue / MICROS_PER_MS };
    this.#histogram.reset();
    return percentiles;
  }

  busy({ startedAt, endedAt }: Span): number {
    const within = (span: Span) => Math.min(endedAt, span.endedAt) - Math.max(startedAt, span.startedAt);
    return this.#spans.reduce((sum, span) => sum + Math.max(0, within(span)), 0);
  }

  /** The clock is read only twice: a handler that does nothing must cost nothing. */
  #end(): undefined {
    this.#ended++;
    if (this.#ended === 1) this.#firstEndedAt = monotonicMs();
    if (this.#ended === this.#expected) {
      this.#resolveAllEnded({ startedAt: this.#firstEndedAt, endedAt: monotonicMs() });
    }
  }

  #record(ms: number): undefined {
    this.#histogram.recordValue(Math.max(0, Math.round(ms * MICROS_PER_MS)));
    this.#end();
  }

  async #sleep(work: Extract<Work, { kind: "sleep" }>, number: number, attempt: number): Promise<void> {
    const startedAt = monotonicMs();
    await sleep(work.minMs + Math.random() * (work.maxMs - work.minMs));
    this.#spans.push({ startedAt, endedAt: monotonicMs() });
    if (work.failEvery && (number + 1) % work.failEvery === 0 && attempt === 1)
      throw new Error("fails at its first attempt");
    this.#end();
  }

  async #hold(): Promise<void> {
    this.#began++;
    this.#lastBeganAt = monotonicMs();
    if (this.#beginWaiter && this.#began >= this.#beginWaiter.number) {
      this.#beginWaiter.resolve(this.#lastBeganAt);
      this.#beginWaiter = undefined;
    }
    const { signal } = this.#letGo;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    this.#end();
  }
}
