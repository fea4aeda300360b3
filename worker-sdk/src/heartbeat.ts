/** Both ends of a stream's liveness: says at an interval that we are here, and notices when the broker is not. */

export interface HeartbeatOptions {
  /** How often to send, ms. */
  readonly intervalMs: number;
  /** How long the broker may be silent, ms. */
  readonly timeoutMs: number;
  send(sequence: number): void;
  /** The broker was silent for too long. Called at most once. */
  silent(silentMs: number): void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timers: NodeJS.Timeout[];
  #sequence = 0;
  #heardAt = performance.now();
  #isStopped = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    const { intervalMs, timeoutMs } = options;
    this.#timers = [
      setInterval(() => this.beat(), intervalMs),
      setInterval(() => this.#check(), Math.min(intervalMs, timeoutMs / 4)),
    ];
  }

  /** Sends one now. */
  beat(): void {
    this.#options.send(++this.#sequence);
  }

  /** Any frame came. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearInterval(timer);
  }

  #check(): void {
    if (this.#silentMs() < this.#options.timeoutMs) return;
    // When a handler blocked the event loop, frames may lie in the socket: let them be read before the broker is
    // blamed.
    setImmediate(() => setImmediate(() => this.#giveUp()));
  }

  #giveUp(): void {
    const silentMs = this.#silentMs();
    if (this.#isStopped || silentMs < this.#options.timeoutMs) return;
    this.stop();
    this.#options.silent(silentMs);
  }

  #silentMs(): number {
    return performance.now() - this.#heardAt;
  }
}
