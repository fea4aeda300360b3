/** Starts workers as processes, and hears what they do. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

export interface WorkerSettings {
  readonly addresses: readonly string[];
  readonly queue: string;
  readonly concurrency?: number;
  readonly workerId?: string;
  readonly sessionTimeoutMs?: number;
  /** Its handlers never end. */
  readonly holds?: boolean;
}

/** What a worker tells of itself. */
export interface Told {
  readonly event: "connected" | "disconnected" | "started" | "handled" | "settled" | "refused";
  /** Of `Date.now()`, which is the same for all processes here. */
  readonly at: number;
  readonly taskId: string;
  readonly attempt: number;
  /** Of a settled task how it ended, of another event why. */
  readonly reason: string;
}

export interface WorkerProcess {
  /** All that it told, oldest first. */
  readonly told: readonly Told[];
  ofKind(event: Told["event"]): readonly Told[];
  /** Resolves once it told at least `count` of these. */
  untilTold(event: Told["event"], count: number, withinMs?: number): Promise<readonly Told[]>;
  isRunning(): boolean;
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
  pause(): void;
  resume(): void;
}

const PROGRAM = fileURLToPath(new URL("told-worker-program.ts", import.meta.url));

/** Resolves once it is connected. */
export async function startWorker(settings: WorkerSettings): Promise<WorkerProcess> {
  const child = fork(PROGRAM, [JSON.stringify(settings)], {
    execArgv: ["--import", "tsx", "--conditions=source"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  // A test run that dies must not leave workers behind.
  const onExit = () => void child.kill("SIGKILL");
  process.once("exit", onExit);
  child.once("exit", () => process.off("exit", onExit));
  const told: Told[] = [];
  child.on("message", (message) => {
    // Our own program sends nothing else.
    told.push(message as Told);
  });
  const ofKind = (event: Told["event"]) => told.filter((one) => one.event === event);
  const worker: WorkerProcess = {
    told,
    ofKind,
    untilTold: (event, count, withinMs = 20_000) =>
      until(
        () => `the worker tells ${event} ${count} times; it told ${ofKind(event).length}`,
        () => {
          const found = ofKind(event);
          return found.length >= count && found;
        },
        { withinMs },
      ),
    isRunning: () => isAlive(child),
    kill: async () => void (await end(child, "SIGKILL")),
    terminate: () => end(child, "SIGTERM"),
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
  };
  await worker.untilTold("connected", 1);
  return worker;
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
  if (isAlive(child)) {
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
  return child.exitCode;
}
