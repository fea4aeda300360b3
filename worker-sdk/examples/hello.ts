/**
 * The smallest worker.
 *
 *     node --import tsx worker-sdk/examples/hello.ts [host:port]
 */
import { Worker } from "@taskwire/worker";

const [address = "127.0.0.1:50051"] = process.argv.slice(2);

const worker = new Worker({ address, concurrency: 10 });
worker.handle<{ name: string }>("hello", ({ payload }) => `Hello, ${payload.name}!`);
await worker.run();
