/** Every store that must keep the port's promises. A new adapter is one entry here, and a file conformance-*.test.ts. */
import type { Backend } from "./backend.ts";
import { embedded } from "./backends/embedded.ts";
import { memory } from "./backends/memory.ts";
import { redis, redisCluster } from "./backends/redis.ts";

export const backends: readonly Backend[] = [memory, embedded, redis, redisCluster];
