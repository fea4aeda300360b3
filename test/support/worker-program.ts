/** A worker as a process of its own, told what to do by its first argument, and telling its parent what it does. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "@taskwire/worker";
import type { Told, WorkerSettings } from "./worker.ts";

interface Payload {
  /** How long the handler takes, unless it is held or frozen. */
  readonly ms: number;
  /** The handler ends its process. */
  readonly deadly?: boolean;
}

// The parent is of this repository and writes what it says.
const settings = JSON.parse(process.argv[2] ?? "") as WorkerSettings;
const { addresses, queue, holds, freezesAfter, ...options } = settings;

function tell(event: Told["event"], facts: Partial<Told> = {}): Promise<void> {
  return new Promise((resolve) => {
    const told: Told = { taskId: "", attempt: 0, reason: "", ...facts, event, at: Date.now() };
    process.send?.(told, () => resolve());
  });
}

// The only message is the one that lets the handlers go.
const letGo = holds ? once(process, "message") : undefined;

let started = 0;
let thaw: () => void = () => undefined;
const thawed = new Promise<void>((resolve) => {
  thaw = resolve;
});

/** Stops this process when enough handlers are running; whatever a broker said meanwhile is read after they have ended. */
function freeze(): Promise<void> {
  if (++started === freezesAfter) {
    process.kill(process.pid, "SIGSTOP");
    thaw();
  }
  return thawed;
}

const worker = new Worker({ ...options, address: addresses, queues: [queue] });
worker.on("connected", () => void tell("connected"));
worker.on("disconnected", ({ reason }) => void tell("disconnected", { reason }));
worker.on("settled", ({ taskId, attempt, outcome }) => void tell("settled", { taskId, attempt, reason: outcome }));
worker.on("refused", ({ taskId, attempt, reason }) => void tell("refused", { taskId, attempt, reason }));
worker.handle<Payload>("work", async ({ id, payload: { ms, deadly } }, { attempt, signal }) => {
  await tell("started", { taskId: id, attempt });
  if (deadly) process.kill(process.pid, "SIGKILL");
  await (letGo ?? (freezesAfter ? freeze() : sleep(ms, undefined, { signal })));
  void tell("handled", { taskId: id, attempt });
  return { attempt };
});
await worker.run();
process.disconnect();
