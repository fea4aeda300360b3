/**
 * Lists of tasks, page by page. Each order is one in which a place can be found again by what does not change while a task
 * stays: see the files of the orders. What is passed over is bounded, so that no page takes long.
 */
import { readType } from "../../domain/task-body.ts";
import type { ListedTask, ListPage, ListQuery, TaskSnapshot } from "../store.ts";
import type { Candidate } from "./candidate.ts";
import { aloneSnapshot } from "./find.ts";
import { listActive } from "./list-active.ts";
import { listEnded } from "./list-ended.ts";
import { listReady } from "./list-ready.ts";
import { listScheduled } from "./list-scheduled.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";

/** Tasks that one page looks at, and does not show, at most; and places where there is nothing for it, which cost less. */
const LOOKED_AT = 1_000;
const EMPTY_PLACES = 5_000;

export function listTasks(parts: EmbeddedParts, queue: Queue, query: ListQuery): ListPage {
  const { type, limit } = query;
  const tasks: ListedTask[] = [];
  let next = query.after;
  let passedOver = 0;
  let empty = 0;
  for (const { position, read } of candidates(parts, queue, query)) {
    if (tasks.length === limit || passedOver === LOOKED_AT || empty === EMPTY_PLACES) return { tasks, next };
    const task = read?.();
    if (task && (type === undefined || isOfType(task, type))) tasks.push({ task, timeMs: timeOf(task), position });
    else if (read) passedOver++;
    else empty++;
    next = position;
  }
  return { tasks, next: undefined };
}

function candidates(parts: EmbeddedParts, queue: Queue, query: ListQuery): Iterable<Candidate> {
  const { state, after, failureGroup } = query;
  switch (state) {
    case "ready":
      return listReady(parts, queue, after);
    case "scheduled":
      return listScheduled(parts, queue, after);
    case "active":
      return listActive(parts, queue, query);
    case "dead":
      return listDead(parts, queue, after, failureGroup);
    case "completed":
    case "cancelled":
      return listEnded(parts, queue, state, after);
  }
}

/** The last to die first. A position is the stamp of a death. */
function* listDead(
  { database }: EmbeddedParts,
  queue: Queue,
  after: string | undefined,
  failureGroup: string | undefined,
): Generator<Candidate> {
  for (const task of queue.dead.down(after, failureGroup))
    yield { position: task.stamp, read: () => aloneSnapshot(database, queue, task) };
}

function timeOf({ state, enqueuedAtMs, runAtMs, lastResult }: TaskSnapshot): number {
  switch (state) {
    case "ready":
    case "active":
      return enqueuedAtMs;
    case "scheduled":
      return runAtMs;
    default:
      return lastResult?.endedAtMs ?? 0;
  }
}

function isOfType({ body }: TaskSnapshot, type: string): boolean {
  return body !== undefined && readType(body) === type;
}
