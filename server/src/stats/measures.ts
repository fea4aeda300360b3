/** What this broker itself has counted and timed since it started; other parts only read it. */
import { Sketch } from "../lib/sketch.ts";
import type { QueueCounters } from "../store/store.ts";

/** The name that stands for all queues and types that have no place of their own. */
export const OTHER = "other";

/**
 * Queues that are measured apart, and pairs of queue and type. First come, first served, as long as the process lives: a counter
 * that moved to another name would look like a restart. The bound is for those who keep the numbers: each queue is some seventy
 * series of each broker.
 */
export const MEASURED_QUEUES = 50;
export const MEASURED_TYPES = 100;

/** Counted like those of the store, but only what went through this broker. */
const ZERO = {
  dequeued: 0,
  completed: 0,
  failed: 0,
  retried: 0,
  buried: 0,
  cancelled: 0,
  lost: 0,
  revived: 0,
  deleted: 0,
  /** Outcomes that came too late: the lease was no longer current. */
  stale: 0,
  /** Tasks that the queue's rate did not admit. */
  rateLimited: 0,
} as const satisfies Partial<Record<keyof QueueCounters | "stale" | "rateLimited", 0>>;

/** How a call of the store fails: "BUG" is whatever a store should not throw. */
export type StoreError = "STORE_UNAVAILABLE" | "STORE_FULL" | "BUG";

export type Counted = keyof typeof ZERO;
export type Timed = "wait" | "run" | "endToEnd";

export class QueueMeasures {
  /** Tasks that were created, by type. */
  readonly types = new Map<string, number>();
  readonly counts: Record<Counted, number> = { ...ZERO };
  /** From when a task was ready to its first delivery, in ms. */
  readonly wait = new Sketch();
  /** From delivery to the outcome, of attempts that completed or failed, in ms. */
  readonly run = new Sketch();
  /** From enqueue to completion, in ms. */
  readonly endToEnd = new Sketch();
}

export class Measures {
  readonly queues = new Map<string, QueueMeasures>();
  /** How long the store took, by verb, in µs. */
  readonly storeCalls = new Map<string, Sketch>();
  /** Calls that the store failed, by verb and code; 0 for what may happen to a verb that was used. */
  readonly storeErrors = new Map<string, Record<StoreError, number>>();
  /** Tasks that this broker took from dead ones. */
  reaped = 0;
  #pairs = 0;
  // Calls for one queue come in a row, and are many.
  #lastQueue: { readonly name: string; readonly measures: QueueMeasures } | undefined;

  queue(name: string): QueueMeasures {
    if (this.#lastQueue?.name === name) return this.#lastQueue.measures;
    const label = this.labelOf(name);
    let measures = this.queues.get(label);
    if (!measures) {
      measures = new QueueMeasures();
      this.queues.set(label, measures);
    }
    this.#lastQueue = { name, measures };
    return measures;
  }

  /** The name under which a queue is measured. */
  labelOf(queue: string): string {
    return this.queues.has(queue) || this.queues.size < MEASURED_QUEUES ? queue : OTHER;
  }

  countEnqueued(queue: string, type: string, tasks: number): void {
    const { types } = this.queue(queue);
    const known = types.get(type);
    if (known !== undefined) types.set(type, known + tasks);
    else if (this.#pairs < MEASURED_TYPES) {
      this.#pairs++;
      types.set(type, tasks);
    } else types.set(OTHER, (types.get(OTHER) ?? 0) + tasks);
  }

  storeCall(verb: string): Sketch {
    let sketch = this.storeCalls.get(verb);
    if (!sketch) {
      sketch = new Sketch();
      this.storeCalls.set(verb, sketch);
      this.storeErrorsOf(verb);
    }
    return sketch;
  }

  storeErrorsOf(verb: string): Record<StoreError, number> {
    let errors = this.storeErrors.get(verb);
    if (!errors) {
      errors = { STORE_UNAVAILABLE: 0, STORE_FULL: 0, BUG: 0 };
      this.storeErrors.set(verb, errors);
    }
    return errors;
  }

  /** Over all queues. */
  total(timed: Timed): Sketch {
    const total = new Sketch();
    for (const measures of this.queues.values()) total.merge(measures[timed]);
    return total;
  }
}
