/** What memory holds of one queue. */
import type { AloneTask } from "./alone-task.ts";
import { type Block, type BlockRun, countHere } from "./block.ts";
import { type Counters, noCounts } from "./counters.ts";
import { DeadTasks } from "./dead-tasks.ts";
import type { LineHead } from "./line.ts";
import type { Producers } from "./producers.ts";
import { ReadyTasks } from "./ready-tasks.ts";
import { Schedule } from "./schedule.ts";
import { NOT_STEERED, type Steering } from "./steering.ts";

export class Queue {
  readonly name: string;
  /** Its number on disk; 0 until its first task is accepted. */
  id = 0;
  /** Calls that are not finished: while there are any, every other call waits for its turn. */
  calls = 0;
  readonly counters: Counters = noCounts();
  readonly enqueuedByType = new Map<string, number>();
  readonly gauges = { scheduled: 0, ready: 0, active: 0 };
  readonly alone = new Map<string, AloneTask>();
  /** Those of `alone` that are leased. */
  readonly activeAlone = new Set<AloneTask>();
  /** Blocks of which tasks were claimed or have left; those that are due among them. */
  readonly blocks = new Map<string, Block>();
  /** Blocks of which no task is due yet. */
  readonly scheduledBlocks = new Map<string, Block>();
  readonly producers: Producers;
  /** Those who wait for the end of a task. */
  readonly waiting = new Map<string, Set<() => void>>();
  readonly ready = new ReadyTasks();
  readonly schedule = new Schedule();
  readonly dead = new DeadTasks();
  /** As enqueues see it: it changes when a turn is prepared. */
  steering: Steering = NOT_STEERED;
  /** As claims see it: it changes when a turn is published. */
  isPaused = false;

  constructor(name: string, producers: Producers) {
    this.name = name;
    this.producers = producers;
  }

  /** A block that has an object. */
  block(key: string): Block | undefined {
    return this.blocks.get(key) ?? this.scheduledBlocks.get(key);
  }

  /** Forgets a block that is at its end. */
  dropEnded(block: Block): void {
    if (block.left > 0 || block.places > 0) return;
    this.blocks.delete(block.key);
    this.scheduledBlocks.delete(block.key);
  }

  pushBlock(diskName: string, first: number, end: number): void {
    this.ready.pushBlock(diskName, first, end);
    this.gauges.ready += end - first;
  }

  /** Puts a ready task at the end of its line. */
  pushAlone(task: AloneTask): void {
    this.gauges.ready++;
    this.ready.pushAlone(task);
  }

  /** Puts a ready task in front of its line. */
  returnAlone(task: AloneTask): void {
    this.gauges.ready++;
    this.ready.returnAlone(task);
  }

  /** Puts a task of a block in front of the line. */
  returnIndex(block: Block, index: number): void {
    this.gauges.ready++;
    this.ready.returnIndex(block, index);
  }

  scheduleAlone(task: AloneTask): void {
    this.gauges.scheduled++;
    this.schedule.add(task.runAtMs, task);
  }

  /** Tasks of a block, all of which are due at the time that its name tells. */
  scheduleRun(run: BlockRun): void {
    const { block, first, end } = run;
    this.scheduledBlocks.set(block.key, block);
    this.gauges.scheduled += countHere(block, first, end);
    this.schedule.add(block.name.runAtMs, run);
  }

  /** Moves up to `max` due tasks to the line; returns how many. */
  promote(max: number, nowMs: number): number {
    let promoted = 0;
    while (promoted < max) {
      const next = this.schedule.firstDue(nowMs);
      if (next === undefined) break;
      promoted += "block" in next ? this.#promoteRun(next, max - promoted) : this.#promoteAlone(next);
    }
    this.gauges.scheduled -= promoted;
    this.gauges.ready += promoted;
    return promoted;
  }

  #promoteAlone(task: AloneTask): number {
    this.schedule.shift();
    task.state = "ready";
    this.ready.promoteAlone(task);
    return 1;
  }

  /** Tasks beyond `max` stay scheduled. */
  #promoteRun(run: BlockRun, max: number): number {
    const { block, first } = run;
    const end = Math.min(run.end, first + max);
    const promoted = countHere(block, first, end);
    run.first = end;
    if (end === run.end) this.schedule.shift();
    block.promotedTo = end;
    if (this.scheduledBlocks.delete(block.key)) this.blocks.set(block.key, block);
    if (promoted > 0) this.ready.promoteRun({ kind: "run", block, first, end });
    return promoted;
  }

  /** When the next scheduled task is due; undefined when there is none. */
  get nextDueAtMs(): number | undefined {
    return this.schedule.nextDueAtMs;
  }

  /** What is to be claimed next. */
  head(): LineHead | undefined {
    return this.ready.head();
  }

  /** Takes out what `head` told. */
  shift(): void {
    this.ready.shift();
  }
}
