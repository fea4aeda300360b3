/**
 * What is scheduled, in the order in which it becomes due; in the order in which it came, where that is the same time. Tasks
 * that come in a row are mostly due at the same time, so they stand in one list: a heap of very many costs as much as
 * all else that is done for a task.
 */
import { Heap } from "../../lib/heap.ts";
import type { AloneTask } from "./alone-task.ts";
import type { BlockRun } from "./block.ts";

type Scheduled = AloneTask | BlockRun;

/** What came in a row, and is due at the same time. */
interface Batch {
  readonly runAtMs: number;
  /** Orders the batches of one time. */
  readonly place: number;
  readonly items: Scheduled[];
  /** How many of the items were taken out. */
  taken: number;
}

export class Schedule {
  readonly #batches = new Heap<Batch>(isDueBefore);
  /** The batch that came last: it takes more. */
  #last: Batch | undefined;
  #lastPlace = 0;

  add(runAtMs: number, item: Scheduled): void {
    if (this.#last?.runAtMs === runAtMs) {
      this.#last.items.push(item);
      return;
    }
    this.#last = { runAtMs, place: ++this.#lastPlace, items: [item], taken: 0 };
    this.#batches.push(this.#last);
  }

  /** When the first of it is due; undefined when there is nothing. */
  get nextDueAtMs(): number | undefined {
    return this.#batches.peek()?.runAtMs;
  }

  /** The first of it, if that is due. */
  firstDue(nowMs: number): Scheduled | undefined {
    const batch = this.#batches.peek();
    return batch && batch.runAtMs <= nowMs ? batch.items[batch.taken] : undefined;
  }

  /** Takes the first out. */
  shift(): void {
    const batch = this.#batches.peek();
    if (!batch || ++batch.taken < batch.items.length) return;
    this.#batches.pop();
    if (batch === this.#last) this.#last = undefined;
  }
}

/** Earlier first, then by place. */
function isDueBefore(a: Batch, b: Batch): boolean {
  return a.runAtMs === b.runAtMs ? a.place < b.place : a.runAtMs < b.runAtMs;
}
