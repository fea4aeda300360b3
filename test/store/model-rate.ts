/**
 * How many tasks a queue takes. This is the generic cell rate algorithm (T = 1000 / perSecond, tat = max(tat, now) + n * T,
 * admitted while tat - now <= burst * T) counted in tasks, `used` = (tat - now) / T: whole numbers, where times would round.
 */
import type { EnqueueRate } from "@taskwire/server/testing";

/** Far below one task, far above what rounding adds up to. */
const TINY = 1e-6;

export type Admission =
  | { readonly kind: "admitted" }
  | { readonly kind: "limited"; readonly retryAfterMs: number }
  | { readonly kind: "above-burst" };

export class ModelRate {
  readonly #rate: EnqueueRate;
  #used = 0;
  #at = 0;

  constructor(rate: EnqueueRate) {
    this.#rate = rate;
  }

  /** Charges for so many tasks, unless it refuses. */
  admit(count: number, now: number): Admission {
    const { perSecond, burst } = this.#rate;
    if (count > burst) return { kind: "above-burst" };
    const used = Math.max(0, this.#used - ((now - this.#at) * perSecond) / 1_000) + count;
    if (used > burst + TINY) {
      return { kind: "limited", retryAfterMs: Math.ceil(((used - burst) * 1_000) / perSecond) };
    }
    this.#used = used;
    this.#at = now;
    return { kind: "admitted" };
  }
}
