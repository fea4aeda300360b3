/** Starts the driver of a language, which is a producer or a worker as a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type TestProcess, testProcess } from "../support/children.ts";
import { until } from "../support/until.ts";
import type { Command, Language } from "./languages.ts";

/** Tasks to enqueue. Payloads are in hex. */
export interface Enqueue {
  readonly how: How;
  readonly type: string;
  readonly queue: string;
  readonly payloads: readonly string[];
  readonly maxRetries: number;
  readonly timeoutMs: number;
}

export const HOW = ["one by one", "batch", "stream"] as const;
export type How = (typeof HOW)[number];

/** What a producer is asked for: tasks, or the end of one. */
export type Asked = Enqueue | { readonly await: string };

/** How a task ended, as its producer was told. */
export interface Ended {
  readonly state: string;
  readonly attempt: number;
  /** In hex. */
  readonly result: string;
  readonly error: string;
}

export interface Producer extends TestProcess {
  /** Resolves with the ids. */
  enqueue(tasks: Enqueue): Promise<readonly string[]>;
  /** Waits for the end of a task. */
  end(taskId: string): Promise<Ended>;
}

export interface Worker extends TestProcess {
  /** How often it said that it is connected. */
  connections(): number;
  /** Resolves once it was connected so many times. */
  untilConnected(times: number): Promise<void>;
  /** Resolves once it has said this. */
  untilSaid(what: RegExp): Promise<void>;
  /** The ids of the tasks whose handler it started and that wait, oldest first. */
  started(): readonly string[];
  untilStarted(count: number): Promise<void>;
  /** Lets all handlers go on that wait, and all later ones. */
  letGo(): void;
}

export interface WorkerOptions {
  readonly queue: string;
  readonly addresses: readonly string[];
  /** @defaultValue 2 */
  readonly concurrency?: number;
  /** In s. @defaultValue 10 */
  readonly sessionTimeout?: number;
  /** How long handlers may take once the worker is told to stop, in s. @defaultValue 10 */
  readonly shutdown?: number;
}

export function startProducer({ name, driver }: Language, address: string): Producer {
  const { child, lines } = start(driver(["produce", address]));
  let asked = 0;
  const ask = async (request: Asked) => {
    const index = asked++;
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const answer = await until(
      () => `the producer in ${name} answers; it said ${lines.join("\n")}`,
      () => lines.filter((line) => line.startsWith("{"))[index],
      { withinMs: 20_000 },
    );
    return JSON.parse(answer);
  };
  return {
    ...testProcess(child),
    enqueue: async (tasks) => (await ask(tasks)).ids,
    end: (taskId) => ask({ await: taskId }),
  };
}

/** Resolves once it is connected. */
export async function startWorker({ name, driver }: Language, options: WorkerOptions): Promise<Worker> {
  const { queue, addresses, concurrency = 2, sessionTimeout = 10, shutdown = 10 } = options;
  const { child, lines } = start(
    driver(["work", queue, ...[concurrency, sessionTimeout, shutdown].map(String), ...addresses]),
  );
  const count = (what: RegExp) => lines.filter((line) => what.test(line)).length;
  const started = () => lines.filter((line) => line.startsWith("started ")).map((line) => line.slice(8));
  const wait = async (what: string, isTrue: () => boolean) => {
    await until(() => `the worker in ${name} ${what}; it said\n${lines.join("\n")}`, isTrue, { withinMs: 15_000 });
  };
  const untilConnected = (times: number) =>
    wait(`is connected ${times} times`, () => {
      if (child.exitCode !== null) throw new Error(`the worker in ${name} has ended:\n${lines.join("\n")}`);
      return count(CONNECTED) >= times;
    });
  await untilConnected(1);
  return {
    ...testProcess(child),
    connections: () => count(CONNECTED),
    untilConnected,
    untilSaid: (what) => wait(`says ${what}`, () => count(what) > 0),
    started,
    untilStarted: (wanted) => wait(`starts ${wanted} handlers`, () => started().length >= wanted),
    letGo: () => void child.stdin.write("go\n"),
  };
}

/** Runs a program of the examples. */
export function runExample(command: Command) {
  const { child, lines } = start(command);
  const ended = once(child, "close").then(([code]: (number | null)[]) => code ?? null);
  return { ...testProcess(child), ended, output: () => lines.join("\n") };
}

/** Every worker says this in its log, each in the format of its language. */
const CONNECTED = /\bconnected\b/;

function start({ command, args, env }: Command) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  // It may have ended before all was written.
  child.stdin.on("error", () => undefined);
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on("line", (line) => lines.push(line));
  return { child, lines };
}
