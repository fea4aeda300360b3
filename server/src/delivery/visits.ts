const MEMORY = 3;
const WITHIN_MS = 5;

/** The latest calls to the store, to tell a busy broker from an idle one. */
export class Visits {
  readonly #atMs = new Float64Array(MEMORY).fill(Number.NEGATIVE_INFINITY);
  #next = 0;

  note(): void {
    this.#atMs[this.#next] = performance.now();
    this.#next = (this.#next + 1) % MEMORY;
  }

  /** Whether another is likely to come soon. */
  get areFrequent(): boolean {
    const oldest = this.#atMs[this.#next] ?? 0;
    return performance.now() - oldest < WITHIN_MS;
  }
}
