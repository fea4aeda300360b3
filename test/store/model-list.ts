/** Lists of the model's tasks, and their places in the line. A position is the rank of the last task that was shown. */
import type { ListedTask, ListPage, ListQuery } from "@taskwire/server/testing";
import type { ModelQueue } from "./model.ts";
import { type ModelTask, snapshotOf } from "./model-task.ts";

export function listTasks(queue: ModelQueue, { state, type, failureGroup, after, limit }: ListQuery): ListPage {
  const from = after === undefined ? [] : (JSON.parse(after) as number[]);
  const left = queue
    .inState(state)
    .filter((entry) => type === undefined || entry.task.type === type)
    .filter((entry) => failureGroup === undefined || entry.group === failureGroup)
    .filter((entry) => after === undefined || compareRanks(rankOf(entry), from) > 0)
    .sort((a, b) => compareRanks(rankOf(a), rankOf(b)));
  const tasks = left.slice(0, limit).map(listed);
  return { tasks, next: left.length > limit ? tasks.at(-1)?.position : undefined };
}

/** How many are ahead of it. */
export function placeInLine(queue: ModelQueue, key: string): number | undefined {
  const place = queue.ready().findIndex((entry) => entry.key === key);
  return place < 0 ? undefined : place;
}

/** Since when the longest-waiting head of a line has been ready. Each priority is a line, and so is what came back. */
export function oldestReadyAtMs(queue: ModelQueue): number | undefined {
  const heads = new Map<string, number>();
  for (const { task, place, readyAtMs } of queue.ready().reverse()) {
    heads.set(`${task.priority} ${place <= 0}`, readyAtMs);
  }
  return heads.size === 0 ? undefined : Math.min(...heads.values());
}

function listed(entry: ModelTask): ListedTask {
  return { task: snapshotOf(entry), timeMs: timeOf(entry), position: JSON.stringify(rankOf(entry)) };
}

/** Lower is shown earlier. No two tasks of one state have the same, and none changes while its task stays in its place. */
function rankOf({ state, task, place, runAtMs, number, ended }: ModelTask): readonly number[] {
  switch (state) {
    case "ready":
      return [task.priority, -place];
    case "scheduled":
      return [-runAtMs, -number];
    case "active":
      return [-number];
    case "completed":
    case "dead":
    case "cancelled":
      return [-ended];
  }
}

function timeOf({ state, enqueuedAtMs, runAtMs, lastResult }: ModelTask): number {
  switch (state) {
    case "ready":
    case "active":
      return enqueuedAtMs;
    case "scheduled":
      return runAtMs;
    case "completed":
    case "dead":
    case "cancelled":
      return lastResult?.endedAtMs ?? 0;
  }
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
