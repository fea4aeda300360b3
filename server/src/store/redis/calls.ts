/** The calls for one queue that wait to be sent, and which of them can travel together. */
import type { ClaimLimit, Enqueued, Grant } from "../store.ts";
import type { Ended, EnqueueRequest } from "./enqueue-batch.ts";
import type { Entry } from "./entry.ts";

export interface Deferred<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export interface ClaimCall extends Deferred<Grant[]> {
  readonly limit: ClaimLimit;
  readonly firstSequence: number;
  /** What waits until whoever claimed has the answer. */
  readonly afterwards: (() => void)[];
}

export interface EnqueueCall extends Deferred<(Enqueued | Ended)[]>, EnqueueRequest {}

export interface SettleCall extends Deferred<ReadonlySet<Entry>> {
  readonly entries: readonly Entry[];
}

/** Calls that can be made in this order: settlements, enqueues, claims. */
export interface Round {
  readonly settles: SettleCall[];
  readonly enqueues: EnqueueCall[];
  readonly claims: ClaimCall[];
  tasks: number;
}

/** A claim whose answer was lost: its leases may exist, though nobody knows of them. */
export interface LostClaim {
  readonly broker: string;
  readonly first: number;
  readonly end: number;
  readonly failedAt: number;
}
