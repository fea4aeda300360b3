import { onAbort } from "../abort.ts";
import type { Enqueued } from "../enqueued.ts";
import { AbortError, type TaskwireError } from "../errors.ts";

/** Who waits for one task. */
export interface Caller {
  /** When it gives up, on the clock of `performance.now`. */
  readonly deadlineAt: number;
  /** False once it was answered or gave up. */
  readonly isWaiting: boolean;
  /** Whether the task was sent to a broker, so that giving up leaves it open whether it was enqueued. */
  isSent: boolean;
  /** What it waits for, and how long, in words. */
  describe(): string;
  accept(enqueued: Enqueued): void;
  fail(error: TaskwireError): void;
}

/** How a caller may give up. */
export interface Patience {
  readonly deadlineMs: number;
  readonly deadlineAt: number;
  readonly signal: AbortSignal | undefined;
}

/** The caller of `enqueue`. */
export class SingleCaller implements Caller {
  readonly deadlineAt: number;
  readonly promise: Promise<Enqueued>;
  isWaiting = true;
  isSent = false;
  #resolve: (enqueued: Enqueued) => void = ignore;
  #reject: (error: TaskwireError) => void = ignore;
  readonly #signal: AbortSignal | undefined;
  readonly #deadlineMs: number;
  readonly #type: string;

  constructor({ deadlineAt, deadlineMs, signal }: Patience, type: string) {
    this.deadlineAt = deadlineAt;
    this.#deadlineMs = deadlineMs;
    this.#type = type;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#signal = signal;
    if (signal) onAbort(signal, this);
  }

  /** The signal was aborted. */
  handleEvent(): void {
    this.fail(aborted(this.#signal, this.isSent ? "unknown" : "none"));
  }

  describe(): string {
    return `a task of type ${this.#type} within ${this.#deadlineMs} ms`;
  }

  accept(enqueued: Enqueued): void {
    this.#end();
    this.#resolve(enqueued);
  }

  fail(error: TaskwireError): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.isWaiting = false;
    this.#signal?.removeEventListener("abort", this);
  }
}

/** What a caller is told whose signal was aborted. */
export function aborted(signal: AbortSignal | undefined, effect: "none" | "unknown"): AbortError {
  const outcome = effect === "none" ? "the task was not enqueued" : "whether the task was enqueued is unknown";
  return new AbortError(`aborted by the caller: ${outcome}`, { code: "CANCELLED", effect, cause: signal?.reason });
}

function ignore(): void {}
