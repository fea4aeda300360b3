/**
 * Enqueues one task and waits for its result. Run a worker beside it: worker-sdk/examples/hello.ts.
 *
 *     node --import tsx client/examples/enqueue.ts [host:port]
 */
import { Client, DeadlineExceeded, TaskFailed } from "@taskwire/client";

const [address = "127.0.0.1:50051"] = process.argv.slice(2);

await using client = new Client({ address });

const { taskId, state, durability } = await client.enqueue(
  "hello",
  { name: "Ada" },
  { priority: 1, maxRetries: 5, timeoutMs: 10_000 },
);
console.log(`${taskId} is ${state}, durability: ${durability}`);

try {
  console.log("result:", await client.result(taskId, { deadlineMs: 10_000 }));
} catch (error) {
  if (error instanceof TaskFailed) console.log(`failed: ${error.errorType}: ${error.errorMessage}`);
  else if (error instanceof DeadlineExceeded)
    console.log(`still ${(await client.get(taskId)).state}: is a worker running?`);
  else throw error;
}
