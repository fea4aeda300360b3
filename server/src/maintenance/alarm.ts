import type { Service } from "../lib/service.ts";
import type { Logger } from "../observe/logger.ts";
import type { Store } from "../store/store.ts";

/** Tasks promoted in one trip to the store. */
const BATCH = 1_000;
/** Queues looked at in one sweep. */
const SWEEP_QUEUES = 200;
/** Timers above 2^31 ms fire at once; no alarm needs to look further ahead than the next sweeps do anyway. */
const MAX_TIMER_MS = 60_000;

/**
 * Promotes scheduled tasks when they are due. Delays live in the store; this only knows when to look: the broker that
 * scheduled a task, or looked at its queue last, has a timer. A sweep finds what was scheduled by a broker that is gone.
 */
export class Alarm implements Service {
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #timers = new Map<string, { readonly timer: NodeJS.Timeout; readonly atMs: number }>();
  #sweptTo = "";
  #stopped = false;

  constructor(store: Store, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  async start(): Promise<void> {
    this.#stopped = false;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** A task of this queue is due in `inMs`. */
  set(queue: string, inMs: number): void {
    if (this.#stopped) return;
    const atMs = performance.now() + Math.min(inMs, MAX_TIMER_MS);
    const known = this.#timers.get(queue);
    if (known && known.atMs <= atMs) return;
    clearTimeout(known?.timer);
    // One millisecond more than asked for: a timer may fire early, and the store would find nothing due.
    const timer = setTimeout(() => this.#ring(queue), Math.min(inMs, MAX_TIMER_MS) + 1);
    this.#timers.set(queue, { timer, atMs });
  }

  #ring(queue: string): void {
    this.#timers.delete(queue);
    this.#promote(queue).catch((error) =>
      this.#logger.debug({ err: error, queue }, "promoting failed; the sweep tries again"),
    );
  }

  async #promote(queue: string): Promise<void> {
    for (;;) {
      const { nextInMs } = await this.#store.promote(queue, BATCH);
      if (nextInMs === undefined || this.#stopped) return;
      if (nextInMs > 0) return this.set(queue, nextInMs);
    }
  }

  /** Looks at all queues; at some hundred each time when there are more. */
  async sweep(): Promise<void> {
    const queues = await this.#store.queues();
    const after = queues.filter((queue) => queue > this.#sweptTo);
    const some = (after.length > 0 ? after : queues).slice(0, SWEEP_QUEUES);
    this.#sweptTo = some.length < SWEEP_QUEUES ? "" : (some.at(-1) ?? "");
    await Promise.all(some.map((queue) => this.#promote(queue)));
  }
}
