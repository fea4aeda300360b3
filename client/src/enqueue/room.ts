/** How many bytes of tasks wait in this process, and who waits for there to be fewer. */
export class Room {
  readonly #maxBytes: number;
  #usedBytes = 0;
  #waiters: (() => void)[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether there is room for a task, however large: the bound may be passed by one. */
  get isFree(): boolean {
    return this.#usedBytes < this.#maxBytes;
  }

  take(bytes: number): void {
    this.#usedBytes += bytes;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
    if (this.#waiters.length > 0 && this.isFree) this.wake();
  }

  /** Resolves when there may be room, or at the next `wake`: look again. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  /** Lets all who wait look at what has changed. */
  wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
