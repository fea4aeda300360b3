/** What memory holds of one queue. */
import { Deque } from "../../lib/deque.ts";
import { Heap } from "../../lib/heap.ts";
import { type AloneTask, isBefore, isDueBefore } from "./alone-task.ts";
import type { Block } from "./block.ts";
import { type Counters, noCounts } from "./counters.ts";
import { type LineHead, ReadyLine } from "./line.ts";
import type { Producers } from "./producers.ts";

/** A run of a block whose tasks came back: they hold on to their block, since the line of blocks has passed it. */
export interface ReturnedRun {
  readonly kind: "run";
  readonly block: Block;
  first: number;
  end: number;
}

export type Head = LineHead | ReturnedRun;

export class Queue {
  readonly name: string;
  /** Its number on disk; 0 until its first task is accepted. */
  id = 0;
  /** Calls that are not finished: while there are any, every other call waits for its turn. */
  calls = 0;
  readonly counters: Counters = noCounts();
  readonly enqueuedByType = new Map<string, number>();
  readonly gauges = { scheduled: 0, ready: 0, active: 0, dead: 0 };
  readonly alone = new Map<string, AloneTask>();
  /** Blocks of which tasks were claimed or have left. */
  readonly blocks = new Map<string, Block>();
  readonly producers: Producers;
  /** Those who wait for the end of a task. */
  readonly waiting = new Map<string, Set<() => void>>();
  readonly #scheduled = new Heap<AloneTask>(isDueBefore);
  readonly #prioritised = new Heap<AloneTask>(isBefore);
  readonly #returned = new Deque<Head>();
  readonly #line = new ReadyLine();
  #backPlace = 0;
  #frontPlace = 0;

  constructor(name: string, producers: Producers) {
    this.name = name;
    this.producers = producers;
  }

  pushBlock(diskName: string, first: number, end: number): void {
    this.#line.pushBlock(diskName, first, end);
    this.gauges.ready += end - first;
  }

  /** Puts a ready task at the end of its line. */
  pushAlone(task: AloneTask): void {
    this.gauges.ready++;
    if (task.priority === 0) {
      this.#line.pushAlone(task);
    } else {
      task.place = ++this.#backPlace;
      this.#prioritised.push(task);
    }
  }

  /** Puts a ready task in front of its line. */
  returnAlone(task: AloneTask): void {
    this.gauges.ready++;
    if (task.priority === 0) {
      this.#returned.push({ kind: "alone", task });
    } else {
      task.place = --this.#frontPlace;
      this.#prioritised.push(task);
    }
  }

  /** Puts a task of a block in front of the line. */
  returnIndex(block: Block, index: number): void {
    this.gauges.ready++;
    const last = this.#returned.at(this.#returned.size - 1);
    if (last?.kind === "run" && last.block === block && last.end === index) last.end++;
    else this.#returned.push({ kind: "run", block, first: index, end: index + 1 });
  }

  pushScheduled(task: AloneTask): void {
    this.gauges.scheduled++;
    task.place = ++this.#backPlace;
    this.#scheduled.push(task);
  }

  /** Moves up to `max` due tasks to the line; returns how many. */
  promote(max: number, nowMs: number): number {
    let promoted = 0;
    for (; promoted < max; promoted++) {
      const task = this.#scheduled.peek();
      if (task === undefined || task.runAtMs > nowMs) break;
      this.#scheduled.pop();
      this.gauges.scheduled--;
      task.state = "ready";
      task.runAtMs = 0;
      this.pushAlone(task);
    }
    return promoted;
  }

  /** When the next scheduled task is due; undefined when there is none. */
  get nextDueAtMs(): number | undefined {
    return this.#scheduled.peek()?.runAtMs;
  }

  /** What is to be claimed next. */
  head(): Head | undefined {
    const first = this.#prioritised.peek();
    if (first && first.priority > 0) return { kind: "alone", task: first };
    const head = this.#returned.at(0) ?? this.#line.head();
    return head ?? (first && { kind: "alone", task: first });
  }

  /** Takes out what `head` told. */
  shift(): void {
    const first = this.#prioritised.peek();
    if (first && first.priority > 0) this.#prioritised.pop();
    else if (this.#returned.size > 0) this.#returned.shift();
    else if (this.#line.head()) this.#line.shift();
    else this.#prioritised.pop();
  }
}
