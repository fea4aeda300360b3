/** Starts the processes of the benchmark that speak protocol.ts. */
import { fileURLToPath } from "node:url";
import { type Asked, startAsked } from "./ask.ts";
import type { PayloadKind, ProducerCommands, Target, WorkerCommands } from "./protocol.ts";

export type Producer = Asked<ProducerCommands>;
export type WorkerProcess = Asked<WorkerCommands>;

export function startProducer(target: Target, payload: PayloadKind): Producer {
  return startAsked(programBeside("producer.ts"), { target, payload });
}

export function startWorker(target: Target, execArgv: readonly string[] = []): WorkerProcess {
  return startAsked(programBeside("worker.ts"), { target }, execArgv);
}

function programBeside(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
