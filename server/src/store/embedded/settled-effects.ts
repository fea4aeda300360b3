/** What settlements change in memory once they are on disk. */
import type { AloneTask } from "./alone-task.ts";
import type { Block } from "./block.ts";
import type { Fate } from "./mark.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";

type Return = { readonly task: AloneTask } | { readonly block: Block; readonly index: number };

export class SettledEffects {
  readonly #queue: Queue;
  #active = 0;
  #ready = 0;
  readonly #returns: Return[] = [];
  readonly #scheduled: { readonly task: AloneTask; readonly delayMs: number }[] = [];
  readonly #blocks = new Set<Block>();
  readonly #leftAlone: { readonly task: AloneTask; readonly fate: Fate }[] = [];
  readonly #endedAlone: AloneTask[] = [];
  readonly #endedKeys: string[] = [];

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  /** A task that had this fate moves on. */
  leave(fate: Fate): void {
    if (fate === "held") this.#active--;
    else this.#ready--;
  }

  /** The same of a task alone. */
  leaveAlone(task: AloneTask, fate: Fate): void {
    this.leave(fate);
    this.#leftAlone.push({ task, fate });
  }

  returnIndex(block: Block, index: number): void {
    this.#returns.push({ block, index });
  }

  returnAlone(task: AloneTask): void {
    this.#returns.push({ task });
  }

  schedule(task: AloneTask, delayMs: number): void {
    this.#scheduled.push({ task, delayMs });
  }

  endAlone(task: AloneTask): void {
    this.#endedAlone.push(task);
    this.end(task.key);
  }

  end(key: string): void {
    // Who begins to wait later looks first, and finds that the task has ended.
    if (this.#queue.waiting.size > 0) this.#endedKeys.push(key);
  }

  /** A task left this block. */
  changed(block: Block): void {
    this.#blocks.add(block);
  }

  publish({ events }: EmbeddedParts): void {
    const queue = this.#queue;
    const { gauges } = queue;
    const wasEmpty = gauges.ready === 0;
    gauges.active += this.#active;
    gauges.ready += this.#ready;
    for (const { task, fate } of this.#leftAlone) {
      if (fate === "held") queue.activeAlone.delete(task);
      else queue.ready.remove(task);
    }
    for (const back of this.#returns) {
      if (!("task" in back)) queue.returnIndex(back.block, back.index);
      else if (back.task.state === "ready") queue.returnAlone(back.task);
      // It ended in the same turn: what ended it counts it out.
      else gauges.ready++;
    }
    for (const { task, delayMs } of this.#scheduled) {
      queue.scheduleAlone(task);
      events.scheduled(queue.name, delayMs);
    }
    for (const block of this.#blocks) queue.dropEnded(block);
    for (const task of this.#endedAlone) if (queue.alone.get(task.key) === task) queue.alone.delete(task.key);
    if (wasEmpty && gauges.ready > 0) events.ready(queue.name);
    for (const key of this.#endedKeys) {
      for (const tell of [...(queue.waiting.get(key) ?? [])]) tell();
    }
  }
}
