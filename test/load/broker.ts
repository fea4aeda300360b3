/** A broker in a process of its own, as `npm run build` has made it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { endWithParent, leave } from "../support/children.ts";

const MAIN = fileURLToPath(new URL("../../server/dist/main.js", import.meta.url));

export interface Broker {
  readonly pid: number;
  /** host:port */
  readonly address: string;
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
    address: await readyAddress(child),
    stop: () => leave(child, () => child.kill("SIGTERM")),
    kill: () => leave(child, () => child.kill("SIGKILL")),
  };
}

/** Reads the broker's log up to the line that says where it serves. */
async function readyAddress(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("the broker has no standard output");
  const lines = createInterface({ input: child.stdout });
  const log: string[] = [];
  for await (const line of lines) {
    log.push(line);
    const address = addressIn(line);
    if (address === undefined) continue;
    // What it says from now on is read and dropped, or the pipe would fill up.
    child.stdout.resume();
    return address;
  }
  throw new Error(`the broker did not start: ${log.join("\n")}`);
}

function addressIn(line: string): string | undefined {
  // The broker's own log line.
  const { msg, grpc } = JSON.parse(line) as { msg: string; grpc?: string };
  return msg === "broker ready" ? grpc : undefined;
}
