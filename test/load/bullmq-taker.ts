import { type Job, Worker } from "bullmq";
import type { Subscription, Taker } from "./taker.ts";

export async function startBullmqWorker(
  redisPort: number,
  { queue, concurrency, handle }: Subscription,
): Promise<Taker> {
  const connection = { host: "127.0.0.1", port: redisPort, maxRetriesPerRequest: null };
  const worker = new Worker(queue, async (task: Job) => handle(task.data, task.attemptsStarted), {
    connection,
    concurrency,
  });
  // Without a listener an error would end the process; what matters shows in the counts.
  worker.on("error", () => undefined);
  await worker.waitUntilReady();
  return { stop: () => worker.close() };
}
