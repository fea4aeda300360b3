/** A worker as a process: see `Processes.worker`. */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "@taskwire/worker";
import { pino } from "pino";

const { addresses, concurrency, taskMs, log } = JSON.parse(process.argv[2] ?? "{}");

// The clock of the machine, which all processes of a test share.
const note = (kind: string, task: string) =>
  appendFileSync(log, `${kind} ${task} ${performance.timeOrigin + performance.now()}\n`);

const worker = new Worker({
  address: addresses,
  queues: ["work"],
  concurrency,
  shutdownMs: 2_000,
  logger: pino({ level: "silent" }),
});
worker.handle("work", async (task) => {
  note("start", task.id);
  if (taskMs > 0) await sleep(taskMs);
  return task.payload;
});
worker.on("connected", ({ sessionId }) => note("connected", sessionId));
worker.on("settled", ({ taskId, outcome }) => {
  if (outcome === "ack") note("settled", taskId);
});
worker.on("refused", ({ taskId }) => note("refused", taskId));
await worker.run();
