/**
 * Notices when something blocked the event loop. While it is blocked no heartbeat goes out, and a block longer than the
 * session timeout costs the session and all its tasks.
 *
 * A timer that measures how late it is does it: cheaper than a histogram of perf_hooks, and it says at once, not in
 * percentiles, how long the block was.
 */

export interface LoopWatchOptions {
  /** From which length on a block is told, ms. */
  readonly warnMs: number;
  blocked(blockedMs: number): void;
}

export class LoopWatch {
  readonly #options: LoopWatchOptions;
  readonly #everyMs: number;
  readonly #timer: NodeJS.Timeout;
  #tickedAt = performance.now();
  #last = { endedAt: 0, ms: 0 };

  constructor(options: LoopWatchOptions) {
    this.#options = options;
    this.#everyMs = Math.min(500, Math.max(10, options.warnMs / 2));
    this.#timer = setInterval(() => this.check(), this.#everyMs);
    this.#timer.unref();
  }

  /** The timer's work; also to be called when a session ended, which may be heard of before the timer had its turn. */
  check(): void {
    const now = performance.now();
    const blockedMs = now - this.#tickedAt - this.#everyMs;
    this.#tickedAt = now;
    if (blockedMs < this.#options.warnMs) return;
    this.#last = { endedAt: now, ms: blockedMs };
    this.#options.blocked(blockedMs);
  }

  /** How long the last block was, if it ended less than `withinMs` ago; else 0. */
  recentBlockMs(withinMs: number): number {
    return performance.now() - this.#last.endedAt < withinMs ? this.#last.ms : 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
