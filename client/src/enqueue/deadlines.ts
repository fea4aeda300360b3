/** The longest time that a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * One timer for the deadlines of all calls. A timer for each would cost as much as the rest of an enqueue; since most calls
 * have the same patience, and each new deadline is later than the one that is waited for, this one is set rarely.
 */
export class Deadlines {
  readonly #sweep: () => number;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;

  /** @param sweep ends what is overdue; returns when to look again, `Infinity` when nothing waits */
  constructor(sweep: () => number) {
    this.#sweep = sweep;
  }

  /** Sees to it that a sweep happens at the given time, on the clock of `performance.now`. */
  add(deadlineAt: number): void {
    if (deadlineAt >= this.#dueAt) return;
    this.#dueAt = deadlineAt;
    clearTimeout(this.#timer);
    // A timer may fire a fraction of a millisecond early, and would then find nothing.
    const waitMs = Math.min(MAX_TIMER_MS, Math.ceil(deadlineAt - performance.now()) + 1);
    this.#timer = setTimeout(() => this.#due(), waitMs);
    // While a call waits, its stream or the pause before the next one keeps the process alive.
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #due(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.add(this.#sweep());
  }
}
