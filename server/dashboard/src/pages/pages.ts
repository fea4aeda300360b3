/** The addresses of the pages, and of the lists that numbers lead to. */

import type { State } from "../api/states.ts";
import { href } from "../location.ts";
import type { IconName } from "../parts/icon.tsx";

export const PAGES = [
  { path: "/", name: "Overview", icon: "overview", key: "o" },
  { path: "/ui/queues", name: "Queues", icon: "queues", key: "q" },
  { path: "/ui/tasks", name: "Tasks", icon: "tasks", key: "t" },
  { path: "/ui/failures", name: "Failures", icon: "failures", key: "f" },
  { path: "/ui/workers", name: "Workers", icon: "workers", key: "w" },
] as const satisfies readonly { path: string; name: string; icon: IconName; key: string }[];

export interface TaskFilter {
  readonly state?: State | undefined;
  readonly queue?: string | undefined;
  readonly type?: string | undefined;
  readonly failure?: string | undefined;
}

export function tasksAt(filter: TaskFilter): string {
  return href("/ui/tasks", { ...filter });
}

export function taskAt(id: string, queue?: string): string {
  return href("/ui/task", { id, queue });
}

export function failuresAt(queue?: string): string {
  return href("/ui/failures", { queue });
}

export function queueAt(queue: string): string {
  return href("/ui/queues", { queue });
}

export function workerAt(worker: string): string {
  return href("/ui/workers", { worker });
}
