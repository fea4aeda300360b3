/** What the handlers of the benchmark do, and what is recorded about them. */
import { setTimeout as sleep } from "node:timers/promises";
import { Bury } from "@taskwire/worker";
import { monotonicMs } from "./clock.ts";
import { stampIn } from "./payload.ts";
import type { Percentiles, Span, Work } from "./protocol.ts";
import type { Handle } from "./taker.ts";
import { Times } from "./times.ts";

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
  readonly #times = new Times();
  readonly #latencies: { readonly calledAt: number; readonly ms: number }[] = [];
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
        return (payload) => this.#recordLatency(stampIn(payload));
      case "lateness":
        return (payload) => this.#record(Date.now() - stampIn(payload));
      case "sleep":
        return (payload, attempt) => this.#sleep(work, stampIn(payload), attempt);
      case "hold":
        return () => this.#hold();
      case "bury":
        return () => this.#bury();
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
    return this.#times.take();
  }

  /** Each latency of a task that was enqueued within the span, in ms. */
  latencies({ startedAt, endedAt }: Span): readonly number[] {
    return this.#latencies.filter(({ calledAt }) => calledAt >= startedAt && calledAt < endedAt).map(({ ms }) => ms);
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
    this.#times.record(ms);
    this.#end();
  }

  #recordLatency(calledAt: number): undefined {
    const ms = monotonicMs() - calledAt;
    this.#latencies.push({ calledAt, ms });
    this.#record(ms);
  }

  #bury(): never {
    this.#end();
    throw new Bury("the benchmark wants it dead");
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
