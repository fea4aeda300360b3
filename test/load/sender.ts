/** The producer's side of a queue, the same for each system that is measured. */

import type { Counts } from "./protocol.ts";

/** One task: the number in its payload, and when it is due, in epoch ms. */
export interface Stamped {
  readonly stamp: number;
  readonly dueAt?: number;
}

export interface Sender {
  /** One task in one call. Resolves when the system has accepted it. */
  enqueue(queue: string, task: Stamped): Promise<unknown>;
  /** Many tasks in one call of the system's bulk interface. */
  enqueueMany(queue: string, tasks: readonly Stamped[]): Promise<unknown>;
  counts(queue: string): Promise<Counts>;
}
