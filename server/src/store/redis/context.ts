/** What the parts of the Redis store share. */
import type { Logger } from "../../observe/logger.ts";
import type { StoreEvents, StoreOptions } from "../store.ts";
import type { Connection } from "./connection.ts";
import type { Entry } from "./entry.ts";

export interface Context {
  readonly options: StoreOptions;
  readonly namespace: string;
  readonly connection: Connection;
  readonly logger: Logger;
  readonly events: StoreEvents;
  /** Names this process on the channel, so that it does not hear itself. */
  readonly self: string;
  /** The store's time, as well as it is known here. */
  nowMs(): number;
  /** The id under which this broker leases now. */
  broker(): string;
  /** So many numbers for leases; returns the first. */
  takeSequences(count: number): number;
  /** This broker ended tasks; `awaited` when some broker waits for a task of that queue. */
  onEnded(queue: string, entry: Pick<Entry, "endedKeys">, awaited: boolean): void;
}

/** Until the store is started nobody listens. */
export const NO_EVENTS: StoreEvents = {
  ready: () => undefined,
  scheduled: () => undefined,
  cancelled: () => undefined,
  available: () => undefined,
};
