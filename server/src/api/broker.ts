import type { Dispatcher } from "../delivery/dispatcher.ts";
import type { Puller } from "../delivery/puller.ts";
import type { WorkerRegistry } from "../delivery/registry.ts";
import type { Settler } from "../delivery/settler.ts";
import type { Logger } from "../observe/logger.ts";
import type { History } from "../stats/history.ts";
import type { LiveStats } from "../stats/live.ts";
import type { Store } from "../store/store.ts";

/** What the handlers of the RPCs work with. */
export interface Broker {
  readonly store: Store;
  readonly dispatcher: Dispatcher;
  readonly settler: Settler;
  readonly puller: Puller;
  readonly registry: WorkerRegistry;
  readonly stats: LiveStats;
  readonly history: History;
  /** What Prometheus asks for. */
  readonly logger: Logger;
  readonly limits: BrokerLimits;
}

/** The bounds that settings set. */
export interface BrokerLimits {
  readonly maxPayloadBytes: number;
  readonly maxWindow: number;
  readonly maxWindowBytes: number;
}
