/** Which dead tasks a caller means, and moving them in portions, so that no other queue waits for them. */

import { setTimeout as sleep } from "node:timers/promises";
import type { DeadTasks } from "@taskwire/proto";
import { TaskwireError } from "../domain/errors.ts";
import { LIMITS } from "../domain/limits.ts";
import { groupBy } from "../lib/group-by.ts";
import type { DeadMove, ListPosition, Store } from "../store/store.ts";
import { type Located, locate, taskNotFound } from "./locate.ts";
import { Fields } from "./parse/fields.ts";

/**
 * Tasks of one call to the store. Redis does nothing else while it moves them. With 100 the whole was done a little sooner, and what
 * was enqueued elsewhere meanwhile waited more than twice as long at the median.
 */
const PORTION = 25;

/** Moves dead tasks of one queue. */
export type Move = (queue: string, keys: readonly string[]) => Promise<readonly DeadMove[]>;

/**
 * Moves the tasks of a selection; returns how many. What dies meanwhile is not among them.
 * @throws INVALID_ARGUMENT, ALL_NEEDED, QUEUE_NEEDED, TASK_NOT_FOUND, TASK_NOT_DEAD
 */
export async function moveDead(
  store: Store,
  selection: DeadTasks | undefined,
  move: Move,
  signal: AbortSignal,
): Promise<number> {
  const { taskIds = [], queue = "", failureId = "", all = false } = selection ?? {};
  check({ taskIds, queue, failureId, all });
  if (taskIds.length > 0) return moveNamed(store, { taskIds, queue }, move);
  const queues = queue === "" ? await store.queues() : [queue];
  let moved = 0;
  for (const name of queues) moved += await moveQueue(store, name, failureId || undefined, move, signal);
  return moved;
}

function check({ taskIds, queue, failureId, all }: DeadTasks): void {
  const fields = new Fields();
  fields.count("tasks.task_ids", taskIds.length, LIMITS.namedDeadTasks);
  for (const [i, id] of taskIds.entries()) fields.name(`tasks.task_ids[${i}]`, id);
  if (queue !== "") fields.name("tasks.queue", queue);
  if (taskIds.length > 0 && (failureId !== "" || all))
    fields.wrong("tasks.task_ids", "excludes failure_id and all: name the tasks, or describe them");
  if (failureId !== "" && queue === "")
    fields.wrong("tasks.queue", "is needed with failure_id: a group is of one queue");
  fields.check();
  if (taskIds.length === 0 && queue === "" && !all)
    throw new TaskwireError(
      "ALL_NEEDED",
      "the selection would touch every dead task: name tasks or a queue, or say all: true",
    );
}

async function moveNamed(
  store: Store,
  { taskIds, queue }: { readonly taskIds: readonly string[]; readonly queue: string },
  move: Move,
): Promise<number> {
  const located = await Promise.all(taskIds.map((id) => locate(store, id, queue)));
  await Promise.all(located.map((task, i) => mustBeDead(store, task, taskIds[i] ?? "")));
  let moved = 0;
  for (const [name, tasks] of groupBy(located, (task) => task.queue))
    moved += countDone(await move(name, [...new Set(tasks.map(({ key }) => key))]));
  return moved;
}

async function mustBeDead(store: Store, { queue, key }: Located, id: string): Promise<void> {
  const found = await store.find(queue, key);
  if (!found) throw taskNotFound(id);
  if (found.state !== "dead")
    throw new TaskwireError(
      "TASK_NOT_DEAD",
      `task ${JSON.stringify(id)} is ${found.state}, not dead: nothing was changed`,
      {
        metadata: { task: id, state: found.state },
      },
    );
}

/** From the last to die to the first: what dies again stands before where the list goes on. */
async function moveQueue(
  store: Store,
  queue: string,
  failureGroup: string | undefined,
  move: Move,
  signal: AbortSignal,
): Promise<number> {
  let moved = 0;
  let after: ListPosition | undefined;
  for (;;) {
    signal.throwIfAborted();
    const startedAt = performance.now();
    const page = await store.list(queue, { state: "dead", failureGroup, after, limit: PORTION });
    const keys = page.tasks.map(({ task }) => task.key);
    if (keys.length > 0) moved += countDone(await move(queue, keys));
    after = page.next;
    if (after === undefined) return moved;
    // As long again as it took, so that others have at least half of the store's time.
    await sleep(performance.now() - startedAt);
  }
}

function countDone(moves: readonly DeadMove[]): number {
  return moves.filter((move) => move === "done").length;
}
