import { redis } from "./backends/redis.ts";
import { conform } from "./conformance.ts";

await conform(redis);
