/** A worker as a process of its own, told what to do by its first argument, and telling its parent what it does. */
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "@taskwire/worker";
import type { Told, WorkerSettings } from "./told-worker.ts";

interface Payload {
  /** How long the handler takes. */
  readonly ms: number;
  /** The handler ends its process. */
  readonly deadly?: boolean;
}

// The parent is of this repository and writes what it says.
const settings = JSON.parse(process.argv[2] ?? "") as WorkerSettings;
const { addresses, queue, holds, ...options } = settings;

function tell(event: Told["event"], facts: Partial<Told> = {}): Promise<void> {
  return new Promise((resolve) => {
    const told: Told = { taskId: "", attempt: 0, reason: "", ...facts, event, at: Date.now() };
    process.send?.(told, () => resolve());
  });
}

const worker = new Worker({ ...options, address: addresses, queues: [queue] });
worker.on("connected", () => void tell("connected"));
worker.on("disconnected", ({ reason }) => void tell("disconnected", { reason }));
worker.on("settled", ({ taskId, attempt, outcome }) => void tell("settled", { taskId, attempt, reason: outcome }));
worker.on("refused", ({ taskId, attempt, reason }) => void tell("refused", { taskId, attempt, reason }));
worker.handle<Payload>("work", async ({ id, payload: { ms, deadly } }, { attempt }) => {
  await tell("started", { taskId: id, attempt });
  if (deadly) process.kill(process.pid, "SIGKILL");
  // A handler that holds its tasks never ends by itself.
  await sleep(holds ? 2 ** 30 : ms);
  await tell("handled", { taskId: id, attempt });
  return { attempt };
});
await worker.run();
process.disconnect();
