import { randomBytes } from "node:crypto";
import { createLogger, createRedisStore, type StoreOptions } from "@taskwire/server/testing";
import { hasRedis, startRedis } from "../../support/redis.ts";
import { startRedisCluster } from "../../support/redis-cluster.ts";
import { untilWorks } from "../../support/until.ts";
import { type Backend, DEFAULT_OPTIONS, HeardEvents, type OpenStore } from "../backend.ts";

/** One server, or several, that the tests of a backend share: each test has a namespace of its own. */
interface Servers {
  readonly url: string;
  kill(): Promise<void>;
  restart(): Promise<void>;
  destroy(): Promise<void>;
}

export const redis = redisBackend("redis", startRedis);
export const redisCluster = redisBackend("redis cluster", startRedisCluster);

function redisBackend(name: string, launch: () => Promise<Servers>): Backend {
  let launched: Promise<Servers> | undefined;
  return {
    name,
    capabilities: { shared: true, durableLeases: true },
    available: hasRedis,
    open: async (overrides) => {
      launched ??= launch();
      const namespace = `test-${randomBytes(6).toString("hex")}`;
      return openIn(await launched, namespace, { ...DEFAULT_OPTIONS, ...overrides });
    },
    close: async () => (await launched)?.destroy(),
  };
}

/** So many queues that each server of a cluster has some of them. */
const EVERYWHERE = Array.from({ length: 40 }, (_, i) => `any-${i}`);

const logger = createLogger("silent", false);

async function openIn(servers: Servers, namespace: string, options: StoreOptions): Promise<OpenStore> {
  const { url } = servers;
  const store = createRedisStore({ ...options, url, namespace, requireDurability: "volatile", minReplicas: 0, logger });
  const events = new HeardEvents();
  await store.start(events);
  const opened: OpenStore = {
    store,
    events,
    // The broker lives on while its server is killed and started again.
    reopen: async () => {
      await servers.kill();
      await servers.restart();
      await untilWorks("the store reaches its servers again", () => store.stats(EVERYWHERE), { withinMs: 15_000 });
      return opened;
    },
    second: (overrides) => openIn(servers, namespace, { ...options, ...overrides }),
    close: () => store.stop(),
  };
  return opened;
}
