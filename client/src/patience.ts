import { onAbort } from "./abort.ts";
import { AbortError } from "./errors.ts";
import type { CompleteCallOptions } from "./options.ts";

/** The longest time that a timer of Node can wait: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** When a call that is not an enqueue gives up: at its deadline, when its caller aborts it, or when the client is closed. */
export class Patience {
  readonly deadlineMs: number;
  /** On the clock of `performance.now`. */
  readonly deadlineAt: number;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #closed: AbortSignal;
  #timer: NodeJS.Timeout | undefined;

  /** @param closed aborted, with the error to throw, when the client is closed */
  constructor({ deadlineMs, signal }: CompleteCallOptions, closed: AbortSignal) {
    this.deadlineMs = deadlineMs;
    this.deadlineAt = performance.now() + deadlineMs;
    this.#caller = signal;
    this.#closed = closed;
    if (signal) onAbort(signal, this);
    onAbort(closed, this);
    if (signal?.aborted || closed.aborted) this.handleEvent();
    else if (deadlineMs <= MAX_TIMER_MS) this.#timer = setTimeout(() => this.#controller.abort(), deadlineMs);
  }

  /** Aborted when the call is to give up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The caller aborted the call, or the client was closed. */
  handleEvent(): void {
    this.#controller.abort();
  }

  /** @throws AbortError when the caller aborted the call, TaskwireError when the client was closed */
  throwIfAborted(): void {
    if (this.#caller?.aborted) {
      throw new AbortError("aborted by the caller", { code: "CANCELLED", cause: this.#caller.reason });
    }
    this.#closed.throwIfAborted();
  }

  /** Waits; returns early when the call is to give up. */
  async pause(ms: number): Promise<void> {
    if (this.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.signal.addEventListener("abort", done);
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this);
    this.#closed.removeEventListener("abort", this);
  }
}
