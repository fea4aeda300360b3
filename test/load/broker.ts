/** A broker in a process of its own, as `npm run build` has made it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { endWithParent, leave } from "../support/children.ts";

const MAIN = fileURLToPath(new URL("../../server/dist/main.js", import.meta.url));

export interface Broker {
  readonly pid: number;
  /** host:port of its gRPC door. */
  readonly address: string;
  /** host:port of its HTTP door. */
  readonly httpAddress: string;
  /** Ends it in good order. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** Resolves once the broker serves. `flags` are those of its command line, `execArgv` those of Node. */
export async function startBroker(flags: readonly string[], execArgv: readonly string[] = []): Promise<Broker> {
  const listen = ["--grpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"];
  const child = spawn(process.execPath, [...execArgv, MAIN, ...listen, ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  endWithParent(child);
  return {
    pid: child.pid ?? 0,
    ...(await readyAddresses(child)),
    stop: () => leave(child, () => child.kill("SIGTERM")),
    kill: () => leave(child, () => child.kill("SIGKILL")),
  };
}

type Addresses = Pick<Broker, "address" | "httpAddress">;

/** Reads the broker's log up to the line that says where it serves. */
async function readyAddresses(child: ChildProcess): Promise<Addresses> {
  if (!child.stdout) throw new Error("the broker has no standard output");
  const lines = createInterface({ input: child.stdout });
  const log: string[] = [];
  for await (const line of lines) {
    log.push(line);
    const addresses = addressesIn(line);
    if (addresses === undefined) continue;
    // What it says from now on is read and dropped, or the pipe would fill up.
    child.stdout.resume();
    return addresses;
  }
  throw new Error(`the broker did not start: ${log.join("\n")}`);
}

function addressesIn(line: string): Addresses | undefined {
  // The broker's own log line.
  const { msg, grpc, http } = JSON.parse(line) as { msg: string; grpc: string; http: string };
  return msg === "broker ready" ? { address: grpc, httpAddress: http } : undefined;
}
