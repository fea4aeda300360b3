/** What the suites need of a store to put it to the test. */
import type { Lease, Store, StoreEvents, StoreOptions } from "@taskwire/server/testing";

export interface Backend {
  readonly name: string;
  readonly capabilities: {
    /** Several brokers can work on the same data. */
    readonly shared: boolean;
    /** A lease outlives a crash of the store. */
    readonly durableLeases: boolean;
  };
  /** Whether what it needs is installed. */
  available(): Promise<boolean>;
  /** Opens a store on data of its own. */
  open(overrides?: Partial<StoreOptions>): Promise<OpenStore>;
  /** Ends what its stores needed. */
  close(): Promise<void>;
}

export interface OpenStore {
  readonly store: Store;
  readonly events: HeardEvents;
  /** Ends the store, its server too where there is one, and opens it again with the same data. */
  reopen(): Promise<OpenStore>;
  /** Another broker's store on the same data. Only where `shared`. */
  second(overrides?: Partial<StoreOptions>): Promise<OpenStore>;
  close(): Promise<void>;
}

/** Long enough for no test to run into them by accident. */
export const DEFAULT_OPTIONS: StoreOptions = {
  resultTtlMs: 60_000,
  maxResultsPerQueue: 100_000,
  deadTtlMs: 60_000,
  maxDeadPerQueue: 100_000,
  maxQueues: 1_000,
  brokerTimeoutMs: 30_000,
};

/** Everything that a store told. */
export class HeardEvents implements StoreEvents {
  readonly readyQueues: string[] = [];
  readonly scheduledIn: { readonly queue: string; readonly inMs: number }[] = [];
  readonly cancelledLeases: { readonly broker: string; readonly sequence: number; readonly index: number }[] = [];
  readonly availability: boolean[] = [];

  ready(queue: string): void {
    this.readyQueues.push(queue);
  }

  scheduled(queue: string, inMs: number): void {
    this.scheduledIn.push({ queue, inMs });
  }

  cancelled({ broker, sequence }: Pick<Lease, "broker" | "sequence">, index: number): void {
    this.cancelledLeases.push({ broker, sequence, index });
  }

  available(isAvailable: boolean): void {
    this.availability.push(isAvailable);
  }
}
