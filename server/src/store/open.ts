import type { Config } from "../config/schema.ts";
import type { Logger } from "../observe/logger.ts";
import { createEmbeddedStore } from "./embedded/embedded-store.ts";
import { createRedisStore } from "./redis/redis-store.ts";
import type { Store } from "./store.ts";

/** The store that the settings name, not started yet. */
export function openStore(config: Config, logger: Logger): Store {
  const { requireDurability } = config;
  const options = {
    resultTtlMs: config.resultTtlMs,
    maxResultsPerQueue: config.maxResultsPerQueue,
    deadTtlMs: config.deadTtlMs,
    maxDeadPerQueue: config.maxDeadPerQueue,
    maxQueues: config.maxQueues,
    brokerTimeoutMs: config.brokerTimeoutMs,
    requireDurability,
    logger,
  };
  switch (config.store) {
    case "embedded":
      return createEmbeddedStore({ ...options, dir: config.dataDir });
    case "redis": {
      const { redisUrl: url, namespace, minReplicas } = config;
      return createRedisStore({ ...options, url, namespace, minReplicas });
    }
  }
}
