/**
 * Callers that wait for the end of a task. An end in this process is told at once. For ends elsewhere the task is noted in
 * the store, so that whoever settles it tells; a slow look is the safety net for both.
 */
import type { Logger } from "../../observe/logger.ts";

/** How often a waiting caller looks by itself. Each look also renews the note in the store. */
const LOOK_MS = 1_000;
/** How long a note lives: several looks. */
export const NOTE_MS = 10_000;

type Wake = () => void;

export class Waiters {
  readonly #wakes = new Map<string, Set<Wake>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  isEmpty(): boolean {
    return this.#wakes.size === 0;
  }

  wake(queue: string, key: string): void {
    for (const wake of this.#wakes.get(`${queue} ${key}`) ?? []) wake();
  }

  /**
   * Looks until there is something to tell, or the task does not exist.
   * @param look resolves with "not yet", or what is to be returned
   */
  async until<T>(queue: string, key: string, signal: AbortSignal, look: () => Promise<T | "not yet">): Promise<T> {
    const name = `${queue} ${key}`;
    let wakeUp: Wake = () => undefined;
    let isWoken = false;
    const onWake = () => {
      isWoken = true;
      wakeUp();
    };
    const wakes = this.#wakes.get(name) ?? new Set<Wake>();
    this.#wakes.set(name, wakes.add(onWake));
    signal.addEventListener("abort", onWake);
    try {
      for (;;) {
        signal.throwIfAborted();
        isWoken = false;
        const answer = await look().catch((error: unknown) => this.#lookFailed(error));
        signal.throwIfAborted();
        if (answer !== "not yet") return answer;
        if (isWoken) continue;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, LOOK_MS);
          wakeUp = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    } finally {
      signal.removeEventListener("abort", onWake);
      wakes.delete(onWake);
      if (wakes.size === 0) this.#wakes.delete(name);
    }
  }

  /** The store may be away for a while: the caller waits on. */
  #lookFailed(error: unknown): "not yet" {
    this.#logger.debug({ err: error }, "cannot see whether a task has ended");
    return "not yet";
  }
}
