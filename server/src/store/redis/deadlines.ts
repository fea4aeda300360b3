import { storeUnavailable } from "../../domain/errors.ts";

interface Pending {
  readonly endsAt: number;
  readonly reject: (error: Error) => void;
}

/** Deadlines of calls that all have the same length: one timer looks after them all. */
export class Deadlines {
  readonly #lengthMs: number;
  /** In the order of their ends. */
  readonly #pending = new Set<Pending>();
  #timer: NodeJS.Timeout | undefined;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** Rejects with an unknown effect when `answer` takes too long. */
  limit<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending = { endsAt: performance.now() + this.#lengthMs, reject };
      this.#pending.add(pending);
      this.#timer ??= setInterval(() => this.#sweep(), this.#lengthMs / 10).unref();
      answer.then(
        (value) => {
          this.#pending.delete(pending);
          resolve(value);
        },
        (error: unknown) => {
          this.#pending.delete(pending);
          reject(error);
        },
      );
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const { reject } of this.#pending) reject(storeUnavailable("the store is closed", "unknown"));
    this.#pending.clear();
  }

  #sweep(): void {
    const now = performance.now();
    for (const pending of this.#pending) {
      if (pending.endsAt > now) return;
      this.#pending.delete(pending);
      pending.reject(storeUnavailable(`no answer within ${this.#lengthMs} ms`, "unknown"));
    }
  }
}
