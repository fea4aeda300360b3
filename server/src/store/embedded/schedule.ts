/**
 * What is scheduled, in the order in which it becomes due; in the order in which it came, where that is the same time. What is
 * due at one time stands in one list: to order very many one by one costs as much as all else that is done for a task.
 */
import { SortedList } from "../../lib/sorted-list.ts";
import type { AloneTask } from "./alone-task.ts";
import { type BlockRun, hasTasks } from "./block.ts";
import { STAMP_LENGTH } from "./stamps.ts";

export type Scheduled = AloneTask | BlockRun;

/** What is due at one time. Later ones have later stamps. */
interface Batch {
  readonly runAtMs: number;
  items: Scheduled[];
  /** How many of the items were taken out. */
  taken: number;
  /** How many are cancelled at most. */
  cancelled: number;
}

/** Where something scheduled stands. */
export interface DueRank {
  readonly runAtMs: number;
  readonly stamp: string;
}

/** Fewer cancelled ones than this are not worth tidying up. */
const MANY = 64;

export class Schedule {
  readonly #batches = new SortedList<Batch>((a, b) => a.runAtMs - b.runAtMs);
  /** The batch that took the last: most of what comes in a row is due at one time. */
  #last: Batch | undefined;

  add(runAtMs: number, item: Scheduled): void {
    if (this.#last?.runAtMs !== runAtMs) this.#last = this.#batchAt(runAtMs) ?? this.#newBatch(runAtMs);
    this.#last.items.push(item);
  }

  #batchAt(runAtMs: number): Batch | undefined {
    const batch = this.#batches.firstFrom((other) => other.runAtMs < runAtMs);
    return batch?.runAtMs === runAtMs ? batch : undefined;
  }

  #newBatch(runAtMs: number): Batch {
    const batch = { runAtMs, items: [], taken: 0, cancelled: 0 };
    this.#batches.add(batch);
    return batch;
  }

  /** When the first of it is due; undefined when there is nothing. */
  get nextDueAtMs(): number | undefined {
    return this.#head()?.runAtMs;
  }

  /** The first of it, if that is due. */
  firstDue(nowMs: number): Scheduled | undefined {
    const batch = this.#head();
    return batch && batch.runAtMs <= nowMs ? batch.items[batch.taken] : undefined;
  }

  /** The first batch, whose next item is not cancelled. */
  #head(): Batch | undefined {
    for (let batch = this.#batches.first(); batch; batch = this.#batches.first()) {
      while (batch.taken < batch.items.length && !isHere(batch.items[batch.taken])) batch.taken++;
      if (batch.taken < batch.items.length) return batch;
      this.#drop(batch);
    }
    return undefined;
  }

  /** Takes the first out. */
  shift(): void {
    const batch = this.#batches.first();
    if (batch && ++batch.taken >= batch.items.length) this.#drop(batch);
  }

  #drop(batch: Batch): void {
    this.#batches.delete(batch);
    if (batch === this.#last) this.#last = undefined;
  }

  /** Something that is due at this time was cancelled: memory for it must not be held until then. */
  cancelled(runAtMs: number): void {
    const batch = this.#batchAt(runAtMs);
    if (!batch) return;
    batch.cancelled++;
    const left = batch.items.length - batch.taken;
    if (left > MANY && batch.cancelled * 2 < left) return;
    batch.items = batch.items.slice(batch.taken).filter(isHere);
    batch.taken = 0;
    batch.cancelled = 0;
    if (batch.items.length === 0) this.#drop(batch);
  }

  /** All of it from the last to be due, or from a rank on, that itself included. It must not be changed meanwhile. */
  *down(rank: DueRank | undefined): Generator<Scheduled> {
    for (const batch of this.#batches.down(({ runAtMs }) => rank === undefined || runAtMs <= rank.runAtMs)) {
      const { items, taken, runAtMs } = batch;
      let at = items.length - 1;
      if (rank?.runAtMs === runAtMs) at = lastUpTo(items, rank.stamp);
      for (; at >= taken; at--) {
        const item = items[at];
        if (item) yield item;
      }
    }
  }
}

/** Whether something of it is still scheduled. */
function isHere(item: Scheduled | undefined): boolean {
  if (item === undefined) return false;
  return "block" in item ? hasTasks(item) : item.state === "scheduled";
}

/** Its stamp: that of its block, or its own. */
export function stampOf(item: Scheduled): string {
  return "block" in item ? item.block.key.slice(0, STAMP_LENGTH) : item.stamp;
}

/** The index of the last item whose stamp is not higher; -1 when there is none. */
function lastUpTo(items: readonly Scheduled[], stamp: string): number {
  let from = 0;
  let to = items.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const item = items[middle];
    if (item && stampOf(item) <= stamp) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}
