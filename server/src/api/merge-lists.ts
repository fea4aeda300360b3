/** One list of many: the tasks of several queues, the newest next, each queue in its own order. */
import type { ListedTask, ListPage, ListPosition, ListQuery, Store } from "../store/store.ts";
import type { QueuePositions } from "./page-token.ts";

/** How often a filtered list is asked to go on for one page: each look passes over some thousand tasks. */
const MAX_LOOKS = 20;

export interface MergedPage {
  readonly tasks: readonly ListedTask[];
  /** Where each queue goes on; empty when all are at their end. */
  readonly rest: QueuePositions;
}

/** One queue's part of the page. */
interface Part {
  readonly queue: string;
  readonly tasks: readonly ListedTask[];
  /** Where the queue goes on behind `tasks`; undefined when they are its last. */
  readonly next: ListPosition | undefined;
  taken: number;
}

export async function mergeLists(
  store: Store,
  query: Omit<ListQuery, "after">,
  positions: QueuePositions,
): Promise<MergedPage> {
  const parts = await Promise.all(
    [...positions].map(
      async ([queue, after]): Promise<Part> => ({
        queue,
        ...(await look(store, queue, { ...query, after })),
        taken: 0,
      }),
    ),
  );
  const tasks: ListedTask[] = [];
  while (tasks.length < query.limit) {
    const part = newest(parts);
    const task = part?.tasks[part.taken];
    if (!part || !task) break;
    part.taken++;
    tasks.push(task);
  }
  return { tasks, rest: restOf(parts, positions) };
}

/** Asks until the page is full, the list is over, or enough was looked at. */
async function look(store: Store, queue: string, query: ListQuery): Promise<ListPage> {
  const tasks: ListedTask[] = [];
  let next = query.after;
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const page = await store.list(queue, { ...query, after: next, limit: query.limit - tasks.length });
    tasks.push(...page.tasks);
    next = page.next;
    if (next === undefined || tasks.length >= query.limit) break;
  }
  return { tasks, next };
}

function newest(parts: readonly Part[]): Part | undefined {
  let best: Part | undefined;
  for (const part of parts) {
    const task = part.tasks[part.taken];
    if (task && (!best || task.timeMs > (best.tasks[best.taken]?.timeMs ?? 0))) best = part;
  }
  return best;
}

function restOf(parts: readonly Part[], positions: QueuePositions): QueuePositions {
  const rest = new Map<string, ListPosition | undefined>();
  for (const { queue, tasks, next, taken } of parts) {
    if (taken < tasks.length) rest.set(queue, taken > 0 ? tasks[taken - 1]?.position : positions.get(queue));
    else if (next !== undefined) rest.set(queue, next);
  }
  return rest;
}
