/**
 * The smallest worker.
 *
 *     node --import tsx worker-sdk/examples/hello.ts [host:port]
 */
import { Worker } from "@taskwire/worker";

const [address = "127.0.0.1:50051"] = process.argv.slice(2);

await new Worker({ address })
  .handle<{ name?: string }>("hello", ({ payload }) => `Hello, ${payload.name ?? "world"}!`)
  .run();
