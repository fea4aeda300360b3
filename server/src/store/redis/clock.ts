/** The store's time, as far as this process can tell between two looks at it. */
export class StoreClock {
  #offsetMs = 0;

  /** The store said that it is `storeMs`, in answer to a question that was asked at `askedAtMs` (by Date.now). */
  set(storeMs: number, askedAtMs: number): void {
    const answeredAtMs = Date.now();
    this.#offsetMs = storeMs - (askedAtMs + answeredAtMs) / 2;
  }

  nowMs(): number {
    return Math.round(Date.now() + this.#offsetMs);
  }
}
