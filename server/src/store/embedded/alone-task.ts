import type { TaskState } from "../../domain/state.ts";

/** What memory holds of a task that is stored by itself. The rest is in its record. */
export interface AloneTask {
  readonly key: string;
  readonly priority: number;
  readonly enqueuedAtMs: number;
  readonly hasOptions: boolean;
  state: TaskState;
  attempt: number;
  lostCount: number;
  /** When it is due, if it is scheduled; else 0. */
  runAtMs: number;
  /** Orders the tasks of one priority. */
  place: number;
  /** See mark.ts. */
  mark: number;
  /** The attempt of the lease in the mark. */
  leasedAttempt: number;
  /** Whether that lease was for this task alone, or still for a part of its block. */
  wasLeasedAlone: boolean;
}

/** Higher priority first, then by place. */
export function isBefore(a: AloneTask, b: AloneTask): boolean {
  return a.priority === b.priority ? a.place < b.place : a.priority > b.priority;
}
