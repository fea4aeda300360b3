/** Since when the first task of each line has been ready. Cheap: what ended at the head of a line is passed over once. */
import { parseBlockKey } from "../../domain/ids.ts";
import type { SortedList } from "../../lib/sorted-list.ts";
import { type AloneTask, readyAtMs } from "./alone-task.ts";
import { hasTasks } from "./block.ts";
import type { LineHead } from "./line.ts";
import type { Queue } from "./queue.ts";

/** Priorities that are looked at: each has a line of its own. */
const PRIORITIES = 100;

/** The earliest of them; undefined when nothing is ready. */
export function oldestReadyAtMs(queue: Queue): number | undefined {
  if (queue.gauges.ready === 0) return undefined;
  const { ready } = queue;
  let oldest = Math.min(oldestOf(ready.high), oldestOf(ready.low));
  let back = ready.returned.at(0);
  for (; back && !isReady(queue, back.head); back = ready.returned.at(0)) ready.shiftReturned();
  if (back) oldest = Math.min(oldest, back.atMs);
  let head = ready.line.head();
  for (; head && !isReady(queue, head); head = ready.line.head()) shiftLine(queue, head);
  if (head) oldest = Math.min(oldest, timeOf(head));
  return oldest === Number.POSITIVE_INFINITY ? undefined : oldest;
}

function oldestOf(tasks: SortedList<AloneTask>): number {
  let oldest = Number.POSITIVE_INFINITY;
  let first = tasks.first();
  for (let looked = 0; first && looked < PRIORITIES; looked++) {
    const { priority } = first;
    oldest = Math.min(oldest, readyAtMs(first));
    first = tasks.firstFrom((task) => task.priority >= priority);
  }
  return oldest;
}

function isReady(queue: Queue, head: LineHead): boolean {
  if (head.kind === "alone") return head.task.state === "ready";
  if (head.kind === "run") return hasTasks(head);
  const block = queue.blocks.get(head.name.key);
  return block === undefined || hasTasks({ block, first: head.first, end: head.end });
}

function shiftLine(queue: Queue, head: LineHead): void {
  queue.ready.line.shift();
  const block = head.kind === "block" ? queue.blocks.get(head.name.key) : undefined;
  if (!block) return;
  block.places--;
  queue.dropEnded(block);
}

function timeOf(head: LineHead): number {
  if (head.kind === "alone") return readyAtMs(head.task);
  if (head.kind === "run") return head.block.name.runAtMs;
  return parseBlockKey(head.name.key)?.timeMs ?? 0;
}
