import { type Backend, DEFAULT_OPTIONS, HeardEvents, type OpenStore } from "../backend.ts";
import { MemoryStore } from "../memory-store.ts";
import { MemoryWorld } from "../memory-world.ts";

/** The model, so that the suites themselves are tested. */
export const memory: Backend = {
  name: "memory",
  capabilities: { shared: true, durableLeases: false },
  available: async () => true,
  open: (overrides) => openIn(new MemoryWorld(), { ...DEFAULT_OPTIONS, ...overrides }),
  close: async () => undefined,
};

async function openIn(world: MemoryWorld, options: typeof DEFAULT_OPTIONS): Promise<OpenStore> {
  const store = new MemoryStore(world, options);
  const events = new HeardEvents();
  await store.start(events);
  return {
    store,
    events,
    reopen: async () => {
      await store.stop();
      return openIn(world, options);
    },
    second: (overrides) => openIn(world, { ...options, ...overrides }),
    close: () => store.stop(),
  };
}
