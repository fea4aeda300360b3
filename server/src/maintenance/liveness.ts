import type { Logger } from "../observe/logger.ts";
import type { Store } from "../store/store.ts";

/**
 * Keeps this broker's record alive, and fences the broker itself when it could not: before any other broker may give away
 * what it leased, its sessions are closed. A process that was frozen notices at its first look at the clock.
 */
export class Liveness {
  readonly #store: Store;
  readonly #timeoutMs: number;
  readonly #onFenced: () => void;
  readonly #logger: Logger;
  #renewedAtMs = performance.now();
  /** Since the last renewal: a store that is away for an hour is no news each second. */
  #hasFencedItself = false;

  constructor(store: Store, timeoutMs: number, onFenced: () => void, logger: Logger) {
    this.#store = store;
    this.#timeoutMs = timeoutMs;
    this.#onFenced = onFenced;
    this.#logger = logger;
  }

  async renew(): Promise<void> {
    const startedAtMs = performance.now();
    const silentMs = startedAtMs - this.#renewedAtMs;
    // A store that does not answer at all makes the call wait for longer than this broker has. One that was frozen itself
    // is too late already, and learns from the answer whether anyone has noticed.
    const leftMs = silentMs < this.#timeoutMs ? this.#timeoutMs - silentMs : this.#timeoutMs / 4;
    const fencing = setTimeout(() => this.#fenceMyself(), leftMs);
    try {
      if ((await this.#store.renew()) === "fenced") {
        this.#logger.warn(
          { silentMs: Math.round(silentMs) },
          "the other brokers gave this one up; its sessions are closed",
        );
        this.#onFenced();
      }
      // From the start of the call: the store's own clock for this record began no earlier.
      this.#renewedAtMs = startedAtMs;
      this.#hasFencedItself = false;
    } catch (error) {
      if (performance.now() - this.#renewedAtMs > this.#timeoutMs) this.#fenceMyself();
      throw error;
    } finally {
      clearTimeout(fencing);
    }
  }

  #fenceMyself(): void {
    if (!this.#hasFencedItself)
      this.#logger.warn(
        { timeoutMs: this.#timeoutMs },
        "this broker could not renew its record in time; its sessions are closed",
      );
    this.#hasFencedItself = true;
    this.#renewedAtMs = performance.now();
    this.#onFenced();
  }
}
