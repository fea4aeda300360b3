/**
 * Prints what stands in the queues, once a second, until Ctrl-C.
 *
 *     node --import tsx client/examples/watch-stats.ts [host:port] [how many times]
 */
import { Client } from "@taskwire/client";

const [address = "127.0.0.1:50051", limit] = process.argv.slice(2);

await using client = new Client({ address });

const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());

for await (const { time, queues, workers } of client.watchStats({
  intervalMs: 1_000,
  limit: limit === undefined ? undefined : Number(limit),
  signal: interrupted.signal,
})) {
  console.log(`${time?.toISOString()}  workers: ${workers}`);
  console.table(queues);
}
