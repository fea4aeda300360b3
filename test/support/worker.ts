/** Starts workers as processes, and hears what they do. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type TestProcess, testProcess } from "./children.ts";
import { FROM_SOURCE } from "./program.ts";
import { until } from "./until.ts";

export interface WorkerSettings {
  readonly addresses: readonly string[];
  readonly queue: string;
  readonly concurrency?: number;
  readonly workerId?: string;
  readonly sessionTimeoutMs?: number;
  /** Its handlers wait for `letGo`. */
  readonly holds?: boolean;
  /** It freezes amid its handlers once it has started so many tasks. When it goes on, they end at once. */
  readonly freezesAfter?: number;
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

export interface WorkerProcess extends TestProcess {
  /** What it told, oldest first; a kill -9 loses nothing of it. */
  ofKind(event: Told["event"]): readonly Told[];
  /** Resolves once it told at least `count` of these. */
  untilTold(event: Told["event"], count: number): Promise<readonly Told[]>;
  /** Lets the handlers end that it holds, and all later ones. */
  letGo(): void;
}

const PROGRAM = fileURLToPath(new URL("worker-program.ts", import.meta.url));

/** Resolves once it is connected. */
export async function startWorker(settings: WorkerSettings): Promise<WorkerProcess> {
  const child = fork(PROGRAM, [JSON.stringify(settings)], {
    execArgv: FROM_SOURCE,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const told: Told[] = [];
  child.on("message", (message) => {
    // Our own program sends nothing else.
    told.push(message as Told);
  });
  const ofKind = (event: Told["event"]) => told.filter((one) => one.event === event);
  const untilTold = (event: Told["event"], count: number) =>
    until(
      () => `the worker tells ${event} ${count} times; it told ${ofKind(event).length}`,
      () => {
        const found = ofKind(event);
        return found.length >= count && found;
      },
      { withinMs: 30_000 },
    );
  await untilTold("connected", 1);
  return { ...testProcess(child), ofKind, untilTold, letGo: () => void child.send("let go") };
}
