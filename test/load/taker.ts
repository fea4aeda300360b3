/** The worker's side of a queue, the same for each system that is measured. */

import { startBullmqWorker } from "./bullmq-taker.ts";
import type { Target } from "./protocol.ts";
import { startTaskwireWorker } from "./taskwire-taker.ts";

/** Is given the payload and the number of the attempt, from 1. A handler that has nothing to wait for returns nothing. */
export type Handle = (payload: unknown, attempt: number) => Promise<void> | undefined;

export interface Subscription {
  readonly queue: string;
  readonly concurrency: number;
  readonly handle: Handle;
}

/** A worker that runs. */
export interface Taker {
  stop(): Promise<void>;
}

/** Resolves once the worker can take tasks. */
export function startTaker(target: Target, subscription: Subscription): Promise<Taker> {
  return target.kind === "taskwire"
    ? startTaskwireWorker(target.addresses, subscription)
    : startBullmqWorker(target.redisPort, subscription);
}
