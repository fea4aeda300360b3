/** Starts the processes of the benchmark that speak protocol.ts. */
import { fileURLToPath } from "node:url";
import { type Asked, startAsked } from "./ask.ts";
import type { PayloadKind, ProducerCommands, Target, VisitorCommands, WorkerCommands } from "./protocol.ts";

export type Producer = Asked<ProducerCommands>;
export type WorkerProcess = Asked<WorkerCommands>;
export type Visitor = Asked<VisitorCommands>;

export function startProducer(target: Target, payload: PayloadKind): Producer {
  return startAsked(programBeside("producer.ts"), { target, payload });
}

export function startWorker(target: Target, execArgv: readonly string[] = []): WorkerProcess {
  return startAsked(programBeside("worker.ts"), { target }, execArgv);
}

/** @param address host:port of a broker's HTTP door */
export function startVisitor(address: string): Visitor {
  return startAsked(programBeside("visitor.ts"), { address });
}

function programBeside(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
