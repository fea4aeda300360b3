import { Periodic } from "../lib/periodic.ts";
import type { Service } from "../lib/service.ts";
import { SAMPLE_MS, type Store } from "../store/store.ts";
import type { LiveStats } from "./live.ts";
import { encodeSample } from "./sample.ts";
import type { CurrentSlot } from "./slot.ts";
import type { StoreClock } from "./store-clock.ts";

/** A slot is put twice, so that what other brokers see of it is not old when it ends. */
const PUT_MS = SAMPLE_MS / 2;

/** Puts what this broker measures into the store, slot by slot. */
export class Sampler implements Service {
  readonly #store: Store;
  readonly #stats: LiveStats;
  readonly #slot: CurrentSlot;
  readonly #clock: StoreClock;
  readonly #puts: Periodic;

  constructor(
    { store, stats, slot, clock }: SamplerParts,
    /** Told once for each put that fails; the next one has all that this one had, unless its slot is over. */
    onFailure: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#stats = stats;
    this.#slot = slot;
    this.#clock = clock;
    this.#puts = new Periodic(() => this.put(), PUT_MS, onFailure);
  }

  async start(): Promise<void> {
    // Whoever cannot tell the time yet will at the first put.
    await this.#clock.compare().catch(() => {});
    await this.#puts.start();
  }

  stop(): Promise<void> {
    return this.#puts.stop();
  }

  async put(): Promise<void> {
    await this.#clock.compare();
    const { timeMs, total } = await this.#stats.numbers();
    const { brokerId, slot, latency } = this.#slot.put(this.#store.brokerId);
    const bytes = encodeSample({ timeMs, total, wait: latency.wait.encode(), run: latency.run.encode() });
    await this.#store.putSample({ brokerId, slot, bytes });
  }
}

export interface SamplerParts {
  readonly store: Store;
  readonly stats: LiveStats;
  readonly slot: CurrentSlot;
  readonly clock: StoreClock;
}
