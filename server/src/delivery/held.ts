import type { Lease } from "../domain/lease.ts";
import { DEFAULT_OPTIONS, type TaskOptions } from "../domain/options.ts";
import type { Grant } from "../store/store.ts";

/** What the tasks of one grant have in common, kept while any of them is held. */
export interface Held {
  readonly lease: Lease;
  readonly lostCount: number;
  readonly enqueuedAtMs: number;
  readonly queue: QueueInFlight;
}

/** How many tasks of one queue a session holds, and may hold. */
export interface QueueInFlight {
  readonly queue: string;
  readonly max: number;
  inFlight: number;
}

/** How far a worker says it is. */
export interface Progress {
  readonly percent: number;
  readonly detail: Uint8Array;
}

/** One task that a session holds: delivered, and not settled. */
export interface HeldTask {
  readonly tag: number;
  readonly of: Held;
  readonly index: number;
  readonly bytes: number;
  readonly deliveredAtMs: number;
  /** Undefined: the defaults. */
  readonly options: TaskOptions | undefined;
  deadlineAtMs: number;
  progress: Progress | undefined;
  /** Its outcome is on the way to the store. */
  settling: boolean;
}

export function optionsOf(task: HeldTask): TaskOptions {
  return task.options ?? DEFAULT_OPTIONS;
}

/** Keeps of a grant what is needed to settle it, and lets go of its bodies. */
export function holdGrant(grant: Grant, queue: QueueInFlight): Held {
  const { broker, sequence, block, alone, attempt, lostCount, enqueuedAtMs } = grant;
  return { lease: { queue: grant.queue, broker, sequence, block, alone, attempt }, lostCount, enqueuedAtMs, queue };
}
