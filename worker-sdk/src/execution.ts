import type { Logger } from "pino";
import type { TaskContext } from "./context.ts";
import type { Delivery } from "./delivery.ts";
import { type CancelReason, TaskCancelled } from "./errors.ts";
import { encodeValue, type Outcome, outcomeOfError, outcomeOfValue } from "./outcome.ts";
import type { Handler } from "./registry.ts";
import { checkMs } from "./wire-time.ts";

const MAX_EXTENSION_MS = 24 * 60 * 60 * 1_000;

/** Where an attempt came from, and what is said about it goes to. */
export interface Source {
  readonly log: Logger;
  progress(execution: Execution, percent: number, detail: Uint8Array | undefined): void;
  extend(execution: Execution, ms: number): void;
  /** The attempt has its outcome. */
  settle(execution: Execution): void;
}

/**
 * One attempt in this worker, from its delivery to its outcome; the handler sees it as its context. There are
 * thousands a second, so what few handlers use (the abort controller, the logger) is made when it is asked for.
 */
export class Execution implements TaskContext {
  readonly delivery: Delivery;
  readonly source: Source;
  /** By the monotonic clock, ms; 0 while it waits for a slot. */
  startedAt = 0;
  /** Set once, by whoever comes first: the handler, or the shutdown that gives the task back. */
  outcome: Outcome | undefined;
  #cancelled: TaskCancelled | undefined;
  #controller: AbortController | undefined;
  #log: Logger | undefined;

  constructor(delivery: Delivery, source: Source) {
    this.delivery = delivery;
    this.source = source;
  }

  get attempt(): number {
    return this.delivery.attempt;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#cancelled) this.#controller.abort(this.#cancelled);
    return this.#controller.signal;
  }

  get log(): Logger {
    this.#log ??= this.source.log.child(this.fields());
    return this.#log;
  }

  progress(percent: number, detail?: unknown): void {
    if (Number.isNaN(Number(percent)))
      throw new RangeError(`progress: percent must be from 0 to 100, not ${String(percent)}`);
    if (this.isOver) return;
    this.source.progress(
      this,
      Math.min(Math.max(percent, 0), 100),
      detail === undefined ? undefined : encodeValue(detail),
    );
  }

  extend(ms: number): void {
    checkMs("extend: ms", ms, { min: 1, max: MAX_EXTENSION_MS });
    if (!this.isOver) this.source.extend(this, ms);
  }

  /** Whether nothing that the handler does counts any more. */
  get isOver(): boolean {
    return this.outcome !== undefined || this.#cancelled !== undefined;
  }

  /** Takes the task away from its handler. The first reason stays. */
  cancel(reason: CancelReason): void {
    if (this.isOver) return;
    this.#cancelled = new TaskCancelled(reason);
    this.#controller?.abort(this.#cancelled);
  }

  /**
   * Gives the task back on purpose: aborted first, so that its handler hears of it before anyone else gets the task.
   */
  giveBack(outcome: Outcome): void {
    if (this.isOver) return;
    this.cancel("shutdown");
    this.outcome = outcome;
    this.source.settle(this);
  }

  /** What a log line about this task carries. */
  fields(): Record<string, unknown> {
    const { id, type, queue, attempt } = this.delivery;
    return { taskId: id, type, queue, attempt };
  }
}

/**
 * Runs the handler. `ended` is called once, with what it came to: within this call when the handler returned something
 * other than a promise, so that a handler that has nothing to wait for costs no turn of the promise queue.
 */
export function execute(
  execution: Execution,
  handler: Handler,
  ended: (execution: Execution, outcome: Outcome, error?: unknown) => void,
): void {
  let returned: unknown;
  try {
    returned = handler(execution.delivery, execution);
  } catch (error) {
    ended(execution, outcomeOfError(error), error);
    return;
  }
  if (!isThenable(returned)) {
    ended(execution, outcomeOfValue(returned));
    return;
  }
  returned.then(
    (value) => ended(execution, outcomeOfValue(value)),
    (error: unknown) => ended(execution, outcomeOfError(error), error),
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
