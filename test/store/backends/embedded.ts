import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEmbeddedStore, createLogger, type StoreOptions } from "@taskwire/server/testing";
import { type Backend, DEFAULT_OPTIONS, HeardEvents, type OpenStore } from "../backend.ts";

const logger = createLogger("silent", false);

export const embedded: Backend = {
  name: "embedded",
  capabilities: { shared: false, durableLeases: false },
  available: async () => true,
  open: async (overrides) => {
    const dir = await mkdtemp(join(tmpdir(), "taskwire-store-"));
    return openIn(dir, { ...DEFAULT_OPTIONS, ...overrides });
  },
  close: async () => undefined,
};

async function openIn(dir: string, options: StoreOptions): Promise<OpenStore> {
  const store = createEmbeddedStore({ ...options, dir, logger });
  const events = new HeardEvents();
  await store.start(events);
  return {
    store,
    events,
    reopen: async () => {
      await store.stop();
      return openIn(dir, options);
    },
    second: () => Promise.reject(new Error("one broker at a time uses an embedded store")),
    close: async () => {
      await store.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
