/** How far the store's clock is from this machine's, as each answer that carries a time tells. */
export class Clock {
  #offsetMs = 0;

  /** Call when the question is sent. */
  start(): number {
    return Date.now();
  }

  set(sentAt: number, storeMs: number): void {
    const heardAt = Date.now();
    // A clock that may be this machine's own is taken as such: guessing at the half way would be off by a millisecond or two.
    if (storeMs >= sentAt - 1 && storeMs <= heardAt + 1) this.#offsetMs = 0;
    else this.#offsetMs = storeMs - Math.round((sentAt + heardAt) / 2);
  }

  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }
}
