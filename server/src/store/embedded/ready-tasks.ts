/** The ready tasks of one queue: the line of priority 0, what came back before it, and what has another priority. */
import { Deque } from "../../lib/deque.ts";
import { SortedList } from "../../lib/sorted-list.ts";
import { type AloneTask, byPriority } from "./alone-task.ts";
import type { Block, BlockRun } from "./block.ts";
import { type LineHead, type LineRank, ReadyLine } from "./line.ts";
import { STAMP_LENGTH } from "./stamps.ts";

/** What came back stands in front of the line. */
export interface Returned {
  readonly head: LineHead;
  readonly atMs: number;
}

export class ReadyTasks {
  /** Priorities above 0, and below. */
  readonly high = new SortedList<AloneTask>(byPriority);
  readonly low = new SortedList<AloneTask>(byPriority);
  readonly returned = new Deque<Returned>();
  readonly line = new ReadyLine();
  /** How many of what came back was taken out: counts its places through. */
  returnedBefore = 0;
  /** Begins with the stamp of what came last to the end of the line. */
  #lastPushed = NO_STAMP;
  #after = 0;
  #frontPlace = 0;

  pushBlock(diskName: string, first: number, end: number): void {
    this.line.pushBlock(diskName, first, end);
    this.#lastPushed = diskName;
    this.#after = 0;
  }

  /** A task with a stamp that is later than those of all that came before. */
  pushAlone(task: AloneTask): void {
    this.#lastPushed = task.stamp;
    this.#after = 0;
    task.place = 0;
    this.#add(task);
  }

  /** A task that is ready by now, behind all that came before. */
  promoteAlone(task: AloneTask): void {
    const { stamp, after } = this.#nextRank();
    task.stamp = stamp;
    task.place = after;
    this.#add(task);
  }

  promoteRun(run: BlockRun): void {
    this.line.pushObject(run, this.#nextRank());
  }

  #nextRank(): LineRank {
    return { stamp: this.#lastPushed.slice(0, STAMP_LENGTH), after: ++this.#after };
  }

  #add(task: AloneTask): void {
    if (task.priority === 0) this.line.pushObject(task, { stamp: task.stamp, after: task.place });
    else this.#listOf(task).add(task);
  }

  #listOf({ priority }: AloneTask): SortedList<AloneTask> {
    return priority > 0 ? this.high : this.low;
  }

  /** Puts a task in front of its line. */
  returnAlone(task: AloneTask): void {
    if (task.priority === 0) {
      this.returned.push({ head: { kind: "alone", task }, atMs: Date.now() });
    } else {
      task.place = --this.#frontPlace;
      this.#listOf(task).add(task);
    }
  }

  /** Puts a task of a block in front of the line. */
  returnIndex(block: Block, index: number): void {
    const last = this.returned.at(this.returned.size - 1)?.head;
    if (last?.kind === "run" && last.block === block && last.end === index) last.end++;
    else this.returned.push({ head: { kind: "run", block, first: index, end: index + 1 }, atMs: Date.now() });
  }

  /** A task that is ready no more, though nobody claimed it. In the line it is passed over when its turn comes. */
  remove(task: AloneTask): void {
    if (task.priority !== 0) this.#listOf(task).delete(task);
  }

  /** What is to be claimed next. */
  head(): LineHead | undefined {
    const first = this.high.first();
    if (first) return { kind: "alone", task: first };
    const head = this.returned.at(0)?.head ?? this.line.head();
    if (head) return head;
    const last = this.low.first();
    return last && { kind: "alone", task: last };
  }

  /** Takes out what `head` told. */
  shift(): void {
    if (this.high.size > 0) this.high.shift();
    else if (this.returned.size > 0) this.shiftReturned();
    else if (this.line.head()) this.line.shift();
    else this.low.shift();
  }

  shiftReturned(): void {
    this.returned.shift();
    this.returnedBefore++;
  }
}

/** Before all others. */
const NO_STAMP = "0".repeat(STAMP_LENGTH);
