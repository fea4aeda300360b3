/** What memory holds of one queue. */
import { Deque } from "../../lib/deque.ts";
import { Heap } from "../../lib/heap.ts";
import { type AloneTask, isBefore } from "./alone-task.ts";
import type { Block, BlockRun } from "./block.ts";
import { type Counters, noCounts } from "./counters.ts";
import { type LineHead, ReadyLine } from "./line.ts";
import type { Producers } from "./producers.ts";
import { Schedule } from "./schedule.ts";

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
  /** Blocks that were scheduled, or of which tasks were claimed or have left. */
  readonly blocks = new Map<string, Block>();
  readonly producers: Producers;
  /** Those who wait for the end of a task. */
  readonly waiting = new Map<string, Set<() => void>>();
  readonly #schedule = new Schedule();
  readonly #prioritised = new Heap<AloneTask>(isBefore);
  readonly #returned = new Deque<LineHead>();
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
      this.#line.pushObject(task);
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

  scheduleAlone(task: AloneTask): void {
    this.gauges.scheduled++;
    this.#schedule.add(task.runAtMs, task);
  }

  /** Tasks of a block, all of which are due at the time that its name tells. */
  scheduleRun(run: BlockRun): void {
    this.gauges.scheduled += run.end - run.first;
    this.#schedule.add(run.block.name.runAtMs, run);
  }

  /** Moves up to `max` due tasks to the line; returns how many. */
  promote(max: number, nowMs: number): number {
    let promoted = 0;
    while (promoted < max) {
      const next = this.#schedule.firstDue(nowMs);
      if (next === undefined) break;
      promoted += "block" in next ? this.#promoteRun(next, max - promoted) : this.#promoteAlone(next);
    }
    this.gauges.scheduled -= promoted;
    return promoted;
  }

  #promoteAlone(task: AloneTask): number {
    this.#schedule.shift();
    task.state = "ready";
    task.runAtMs = 0;
    this.pushAlone(task);
    return 1;
  }

  /** Tasks beyond `max` stay scheduled. */
  #promoteRun(run: BlockRun, max: number): number {
    const { block, first } = run;
    const end = Math.min(run.end, first + max);
    run.first = end;
    if (end === run.end) this.#schedule.shift();
    block.promotedTo = end;
    this.#line.pushObject({ kind: "run", block, first, end });
    this.gauges.ready += end - first;
    return end - first;
  }

  /** When the next scheduled task is due; undefined when there is none. */
  get nextDueAtMs(): number | undefined {
    return this.#schedule.nextDueAtMs;
  }

  /** What is to be claimed next. */
  head(): LineHead | undefined {
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
