/**
 * The smallest producer. Run a worker beside it: worker-sdk/examples/hello.ts.
 *
 *     node --import tsx client/examples/hello.ts [host:port]
 */
import { Client } from "@taskwire/client";

const [address = "127.0.0.1:50051"] = process.argv.slice(2);

const client = new Client({ address });
const { taskId } = await client.enqueue("hello", { name: "Ada" }, { maxRetries: 5 });
console.log(await client.result(taskId));
await client.close();
