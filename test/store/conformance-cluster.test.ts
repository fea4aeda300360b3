import { redisCluster } from "./backends/redis.ts";
import { conform } from "./conformance.ts";

await conform(redisCluster);
