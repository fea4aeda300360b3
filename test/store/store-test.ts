/** The fixtures of the store tests. */
import type { Store, StoreOptions } from "@taskwire/server/testing";
import { test } from "vitest";
import type { Backend, OpenStore } from "./backend.ts";

export interface StoreFixtures {
  /** Opens a store on data of its own; it is closed after the test. */
  readonly open: (overrides?: Partial<StoreOptions>) => Promise<OpenStore>;
  readonly opened: OpenStore;
  readonly store: Store;
}

export type StoreTest = ReturnType<typeof storeTest>;

/** A test with stores of this backend. */
export function storeTest(backend: Backend) {
  return test.extend<StoreFixtures>({
    open: async ({}, use) => {
      const closers: OpenStore[] = [];
      await use(async (overrides) => track(await backend.open(overrides), closers));
      for (const opened of [...closers].reverse()) await opened.close();
    },
    opened: async ({ open }, use) => use(await open()),
    store: async ({ opened }, use) => use(opened.store),
  });
}

/** Remembers it, and what comes of it, in the order in which they are to be closed; once. */
function track(opened: OpenStore, closers: OpenStore[]): OpenStore {
  const forget = () => closers.splice(closers.indexOf(tracked), 1);
  const tracked: OpenStore = {
    ...opened,
    reopen: async () => {
      forget();
      return track(await opened.reopen(), closers);
    },
    second: async (overrides) => track(await opened.second(overrides), closers),
    close: async () => {
      forget();
      await opened.close();
    },
  };
  closers.push(tracked);
  return tracked;
}
