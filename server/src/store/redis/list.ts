/**
 * Lists of tasks. Each state is walked in portions, which script calls bring: as many as fill the page, or, when there is a filter,
 * as are looked at for one page.
 */
import { readType } from "../../domain/task-body.ts";
import type { ListedTask, ListPage, ListQuery } from "../store.ts";
import type { Lane } from "./lane.ts";
import { walkActive } from "./list-active.ts";
import { walkEnded } from "./list-ended.ts";
import { walkReady } from "./list-ready.ts";
import { walkSorted } from "./list-sorted.ts";
import type { Portion, Walk } from "./list-walk.ts";

/** Tasks and bytes of bodies that are looked at for one page. */
const MAX_LOOKED_AT = 4_000;
const MAX_BYTES = 8 * 1024 * 1024;
/** Of a list that is filtered, so many are brought at once. */
const FILTERED_PORTION = 250;

export async function list(lane: Lane, query: ListQuery, brokers: () => Promise<readonly string[]>): Promise<ListPage> {
  const { state, type, failureGroup, limit } = query;
  const isFiltered = type !== undefined || failureGroup !== undefined || state === "completed" || state === "cancelled";
  const walk = walkOf(lane, query, brokers);
  const tasks: ListedTask[] = [];
  let after: string | undefined = query.after ?? "";
  let lookedAt = 0;
  let bytes = 0;
  while (after !== undefined && lookedAt < MAX_LOOKED_AT && bytes < MAX_BYTES) {
    // One more than is wanted tells whether the list goes on.
    const portion: Portion = await walk(after, isFiltered ? FILTERED_PORTION : limit - tasks.length + 1);
    for (const [i, one] of portion.tasks.entries()) {
      lookedAt++;
      bytes += one.task.body?.length ?? 0;
      if (!matches(one, query)) continue;
      tasks.push(one);
      const isLast = i === portion.tasks.length - 1 && portion.next === undefined;
      if (tasks.length === limit) return { tasks, next: isLast ? undefined : one.position };
    }
    // What has left its places in the line meanwhile is looked at, too.
    lookedAt++;
    after = portion.next;
  }
  return { tasks, next: after };
}

function walkOf(lane: Lane, { state, failureGroup }: ListQuery, brokers: () => Promise<readonly string[]>): Walk {
  switch (state) {
    case "ready":
      return walkReady(lane);
    case "scheduled":
      return walkSorted(lane, { which: "due", letter: "s" });
    case "dead":
      return failureGroup === undefined
        ? walkSorted(lane, { which: "dead", letter: "d" })
        : walkSorted(lane, { which: "group", letter: "d", group: failureGroup });
    case "active":
      return walkActive(lane, brokers);
    case "completed":
    case "cancelled":
      return walkEnded(lane);
  }
}

function matches({ task }: ListedTask, { state, type }: ListQuery): boolean {
  if (task.state !== state) return false;
  return type === undefined || (task.body !== undefined && readType(task.body) === type);
}
