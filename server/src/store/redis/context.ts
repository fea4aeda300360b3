import type { Logger } from "../../observe/logger.ts";
import type { StoreEvents, StoreOptions } from "../store.ts";
import type { StoreClock } from "./clock.ts";
import type { Commands } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { loadScript } from "./script.ts";
import type { Wakeups } from "./wakeups.ts";

export const SCRIPTS = {
  enqueue: loadScript("enqueue"),
  settle: loadScript("settle"),
  promote: loadScript("promote"),
  find: loadScript("find"),
  dropOld: loadScript("drop-old"),
  register: loadScript("register"),
  renew: loadScript("renew"),
  reap: loadScript("reap"),
} as const;

/** What the parts of this store share. */
export interface Context {
  readonly commands: Commands;
  readonly keys: Keys;
  readonly clock: StoreClock;
  readonly wakeups: Wakeups;
  readonly options: StoreOptions;
  readonly logger: Logger;
  readonly events: () => StoreEvents;
  readonly brokerId: () => string;
}

/** The parts of a queue's keys that a script declares, in its order. */
export function scriptKeys({ keys }: Context, script: { readonly keys: readonly string[] }, queue: string, broker: string): string[] {
  const all: Readonly<Record<string, string>> = { ...keys.queue(queue), leases: keys.leases(queue, broker) };
  return script.keys.map((name) => {
    const key = all[name];
    if (key === undefined) throw new Error(`a script names the key ${name}, which no queue has`);
    return key;
  });
}
