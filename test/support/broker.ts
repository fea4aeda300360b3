/** A broker as its users run it: a process of its own, started from what was built. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

const PROGRAM = fileURLToPath(new URL("../../server/dist/main.js", import.meta.url));

/** Settings by their names in TypeScript, such as `redisUrl`. Without `grpcListen` it listens on a free port. */
export type BrokerSettings = Readonly<Record<string, string | number>>;

/** A line of its log. */
export interface LogLine {
  readonly level: number | string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface BrokerProcess {
  readonly address: string;
  /** What it has logged so far. */
  readonly log: readonly LogLine[];
  /** Whether the process has not ended. */
  isRunning(): boolean;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
  /** SIGTERM, and does not wait. */
  beginToStop(): void;
  /** Freezes the process, and lets it go on. */
  pause(): void;
  resume(): void;
}

/** Resolves once it serves. */
export async function startBroker(settings: BrokerSettings): Promise<BrokerProcess> {
  const flags = Object.entries({ grpcListen: "127.0.0.1:0", ...settings }).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TASKWIRE_")));
  const child = spawn(process.execPath, [PROGRAM, ...flags], { env, stdio: ["ignore", "pipe", "pipe"] });
  // A test run that dies must not leave brokers behind.
  const onExit = () => void child.kill("SIGKILL");
  process.once("exit", onExit);
  child.once("exit", () => process.off("exit", onExit));

  const log: LogLine[] = [];
  let other = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("{")) log.push(JSON.parse(line) as LogLine);
    else other += `${line}\n`;
  });
  child.stderr.on("data", (chunk: Buffer) => (other += chunk.toString()));
  const ready = await until(
    () => `the broker is ready: ${other}${JSON.stringify(log)}`,
    () => {
      if (!isAlive(child)) throw new Error(`the broker has ended: ${other}${JSON.stringify(log)}`);
      return log.find(({ msg }) => msg === "broker ready");
    },
    { withinMs: 20_000 },
  );
  return {
    address: String(ready["grpc"]),
    log,
    isRunning: () => isAlive(child),
    kill: async () => void (await end(child, "SIGKILL")),
    terminate: () => end(child, "SIGTERM"),
    beginToStop: () => void child.kill("SIGTERM"),
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
  };
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
