import type { StoreEvents, StoreOptions } from "../store.ts";
import type { BodyCache } from "./body-cache.ts";
import type { Database } from "./database.ts";
import type { Registry } from "./registry.ts";

/** What the calls of one open store share. */
export interface EmbeddedParts {
  readonly database: Database;
  readonly registry: Registry;
  readonly cache: BodyCache;
  readonly events: StoreEvents;
  readonly options: StoreOptions;
  readonly brokerId: string;
}
