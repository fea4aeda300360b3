import type { Config } from "../config/schema.ts";
import type { Logger } from "../observe/logger.ts";
import { createEmbeddedStore } from "./embedded/embedded-store.ts";
import { createRedisStore } from "./redis/redis-store.ts";
import type { Store } from "./store.ts";

/** The store that the settings name. */
export function openStore(config: Config, logger: Logger): Store {
  const { resultTtlMs, maxResultsPerQueue, maxQueues, brokerTimeoutMs } = config;
  const options = { resultTtlMs, maxResultsPerQueue, maxQueues, brokerTimeoutMs };
  switch (config.store) {
    case "embedded":
      return createEmbeddedStore({ ...options, dir: config.dataDir, logger });
    case "redis": {
      const { redisUrl: url, namespace, requireDurability, minReplicas } = config;
      return createRedisStore({ ...options, url, namespace, requireDurability, minReplicas, logger });
    }
  }
}
