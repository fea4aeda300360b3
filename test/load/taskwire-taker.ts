import { Worker } from "@taskwire/worker";
import { TASK_TYPE } from "./payload.ts";
import type { Subscription, Taker } from "./taker.ts";

export async function startTaskwireWorker(
  addresses: readonly string[],
  { queue, concurrency, handle }: Subscription,
): Promise<Taker> {
  const worker = new Worker({ address: addresses, queues: [queue], concurrency, signals: false, shutdownMs: 1_000 });
  worker.handle(TASK_TYPE, (task) => handle(task.payload, task.attempt));
  const connected = new Promise<void>((resolve) => worker.on("connected", () => resolve()));
  const running = worker.run();
  await Promise.race([connected, running]);
  return { stop: () => worker.stop() };
}
