import type { Store } from "../store/store.ts";

/**
 * How far the clock of the store is ahead of this process's, so that times of both can be compared. Zero as long as the two may
 * agree: what a call to the store takes is all that this can tell, and most installations have one clock, or synchronised ones.
 */
export class StoreClock {
  readonly #store: Pick<Store, "now">;
  #offsetMs = 0;

  constructor(store: Pick<Store, "now">) {
    this.#store = store;
  }

  /** The store's time, by this process's clock. */
  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }

  /** Asks the store what time it is. */
  async compare(): Promise<void> {
    const beforeMs = Date.now();
    const storeMs = await this.#store.now();
    const afterMs = Date.now();
    // Both clocks are cut to milliseconds.
    const mayAgree = storeMs >= beforeMs - 1 && storeMs <= afterMs + 1;
    this.#offsetMs = mayAgree ? 0 : storeMs - (beforeMs + afterMs) / 2;
  }
}
