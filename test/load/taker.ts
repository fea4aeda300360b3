/** The worker's side of a queue, the same for each system that is measured. */

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
