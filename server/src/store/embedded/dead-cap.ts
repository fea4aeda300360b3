/** Drops dead tasks: those beyond the cap at once, those that are too old when the store is cleaned. */
import { parseBase32 } from "../../domain/ids.ts";
import type { AloneTask } from "./alone-task.ts";
import type { Queue } from "./queue.ts";
import type { Turn } from "./turn.ts";

const TIME_LENGTH = 10;
/** Dead tasks that one commit drops at most for their age. */
const DROPPED_AT_ONCE = 500;

/** Drops the oldest dead tasks that are too many. */
export function dropExcess(queue: Queue, max: number, turn: Turn): void {
  while (queue.dead.size > max) {
    const { oldest } = queue.dead;
    if (!oldest) return;
    drop(queue, oldest, turn);
  }
}

/** Drops those that died before `diedBeforeMs`, some at a time; returns whether there may be more of them. */
export function dropDeadBefore(queue: Queue, diedBeforeMs: number, turn: Turn): boolean {
  for (let dropped = 0; dropped < DROPPED_AT_ONCE; dropped++) {
    const { oldest } = queue.dead;
    if (!oldest || diedAtMs(oldest) > diedBeforeMs) return false;
    drop(queue, oldest, turn);
  }
  return true;
}

function diedAtMs({ stamp }: AloneTask): number {
  return parseBase32(stamp.slice(0, TIME_LENGTH));
}

function drop(queue: Queue, task: AloneTask, turn: Turn): void {
  turn.count(queue);
  queue.counters.dropped++;
  removeDead(queue, task, turn);
}

/** Takes a dead task, and its record, out of the store. */
export function removeDead(queue: Queue, task: AloneTask, turn: Turn): void {
  queue.dead.leave(task, turn);
  queue.alone.delete(task.key);
  turn.onUndo(() => queue.alone.set(task.key, task));
  turn.remove("a", queue, task.key);
}
