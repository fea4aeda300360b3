/** The processes that a run consists of. None outlives it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How long a process may take to leave after it was asked to. */
const LEAVE_MS = 10_000;

/** A line that a process wrote: parsed when it is JSON, as the logs are. */
export type OnLine = (line: string, log: Readonly<Record<string, unknown>> | undefined) => void;

export interface Child {
  readonly name: string;
  /** Resolves with the exit code; a signal counts as 128. */
  readonly ended: Promise<number>;
  /** Asks it to leave, and insists if need be. */
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();

// Whatever ends this process, also a bug in it, ends the others.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Runs a program with this Node. What it writes goes to `onLine`, and the last lines of its errors into the failure. */
export function run(name: string, args: readonly string[], onLine: OnLine = () => {}): Child {
  // A group of its own: Ctrl-C reaches this process only, which then stops the others in the right order.
  const child = spawn(process.execPath, [...args], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  running.add(child);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => onLine(line, parseLog(line)));
  }
  const ended = new Promise<number>((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (code) => resolve(code ?? 128));
  }).finally(() => running.delete(child));
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), LEAVE_MS);
    await ended;
    clearTimeout(timer);
  };
  return { name, ended, stop };
}

function parseLog(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
