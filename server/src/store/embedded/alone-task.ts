import type { TaskState } from "../../domain/state.ts";
import type { SortedList } from "../../lib/sorted-list.ts";

/** What memory holds of a task that is stored by itself. The rest is in its record. */
export interface AloneTask {
  readonly key: string;
  readonly priority: number;
  readonly enqueuedAtMs: number;
  readonly hasOptions: boolean;
  state: TaskState;
  attempt: number;
  lostCount: number;
  /** When it is, or was, due, or was revived; 0 if neither. */
  runAtMs: number;
  /** Orders tasks of one state: those that wait by when they came to it, dead ones by when they died. */
  stamp: string;
  /** Orders those of one stamp: 0, or above it what was promoted behind that stamp; below it what came back, before all others. */
  place: number;
  /** See mark.ts. */
  mark: number;
  /** The attempt of the lease in the mark. */
  leasedAttempt: number;
  /** Whether that lease was for this task alone, or still for a part of its block. */
  wasLeasedAlone: boolean;
  /** Whether its record has attempts that ended. */
  hasPast: boolean;
  /** The group of failures that it belongs to while it is dead. */
  group: Group | undefined;
}

/** Dead tasks of one queue that failed alike. */
export interface Group {
  readonly id: string;
  readonly errorType: string;
  readonly message: string;
  /** By when they died. */
  readonly members: SortedList<AloneTask>;
  readonly firstAtMs: number;
  lastAtMs: number;
}

type Given = Pick<
  AloneTask,
  "key" | "priority" | "enqueuedAtMs" | "hasOptions" | "state" | "attempt" | "lostCount" | "runAtMs" | "stamp"
>;

/** A task that was not leased yet. All are made here, so that all have one shape. */
export function newAloneTask(given: Given): AloneTask {
  const { key, priority, enqueuedAtMs, hasOptions, state, attempt, lostCount, runAtMs, stamp } = given;
  return {
    key,
    priority,
    enqueuedAtMs,
    hasOptions,
    state,
    attempt,
    lostCount,
    runAtMs,
    stamp,
    place: 0,
    mark: 0,
    leasedAttempt: 0,
    wasLeasedAlone: true,
    hasPast: false,
    group: undefined,
  };
}

/** Higher priority first; what came back before all others; then in the order in which they became ready. */
export function byPriority(a: Rank, b: Rank): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.place < 0 || b.place < 0) return a.place - b.place;
  return byStamp(a, b) || a.place - b.place;
}

export type Rank = Pick<AloneTask, "priority" | "place" | "stamp">;

export function byStamp(a: { readonly stamp: string }, b: { readonly stamp: string }): number {
  return a.stamp < b.stamp ? -1 : a.stamp > b.stamp ? 1 : 0;
}

/** Since when a ready task has been so. */
export function readyAtMs({ enqueuedAtMs, runAtMs }: AloneTask): number {
  return Math.max(enqueuedAtMs, runAtMs);
}
