export { jitteredBackoffMs } from "./backoff.ts";
export { Connection, type ConnectionOptions, parseAddress } from "./connection.ts";
