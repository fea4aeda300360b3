/** Real processes for tests: brokers and workers that can be killed, frozen and asked to leave. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "../..");
const TYPESCRIPT = ["--conditions=source", "--import", "tsx"];

export interface TestProcess {
  readonly pid: number;
  signal(signal: NodeJS.Signals): void;
  /** Sends a signal and waits until it is gone; resolves with its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface BrokerProcess extends TestProcess {
  /** `host:port` of its gRPC door. */
  readonly address: string;
}

export interface WorkerProcess extends TestProcess {
  /** What it wrote so far. */
  events(): readonly WorkerEvent[];
}

/** `start`: the handler was called. `settled`: the broker confirmed the outcome. `refused`: it did not take it. */
export interface WorkerEvent {
  readonly kind: "connected" | "start" | "settled" | "refused";
  readonly task: string;
  readonly atMs: number;
}

/** Ends all processes that a test started, and removes their folders. */
export class Processes {
  readonly #running = new Set<ChildProcess>();
  readonly #dirs: string[] = [];

  async folder(): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), "taskwire-test-"));
    this.#dirs.push(dir);
    return dir;
  }

  /** Resolves when it is ready. */
  async broker(args: readonly string[], listen = "127.0.0.1:0"): Promise<BrokerProcess> {
    const child = spawn(process.execPath, [join(root, "server/dist/main.js"), ...args, "--grpc-listen", listen], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines: string[] = [];
    const address = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        lines.push(line);
        if (line.includes('"broker ready"')) resolve(JSON.parse(line).grpc);
      });
      child.on("exit", (code) => reject(new Error(`the broker ended with ${code}:\n${lines.join("\n")}`)));
    });
    return { ...this.#track(child), address };
  }

  /** A worker whose handlers take `taskMs`. It writes what happens to a file, so that a kill -9 loses nothing of it. */
  async worker(options: {
    readonly addresses: readonly string[];
    readonly concurrency: number;
    readonly taskMs: number;
  }): Promise<WorkerProcess> {
    const log = join(await this.folder(), "events");
    const script = join(root, "test/support/worker-process.ts");
    const child = spawn(process.execPath, [...TYPESCRIPT, script, JSON.stringify({ ...options, log })], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    return { ...this.#track(child), events: () => readEvents(log) };
  }

  /** Any TypeScript file, until it is ended. */
  script(file: string): TestProcess {
    return this.#track(spawn(process.execPath, [...TYPESCRIPT, file], { stdio: ["ignore", "ignore", "inherit"] }));
  }

  #track(child: ChildProcess): TestProcess {
    this.#running.add(child);
    child.on("exit", () => this.#running.delete(child));
    const end = async (signal: NodeJS.Signals) => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
      return child.exitCode;
    };
    return { pid: child.pid ?? 0, signal: (signal) => child.kill(signal), end };
  }

  async close(): Promise<void> {
    for (const child of this.#running) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    for (const dir of this.#dirs) await rm(dir, { recursive: true, force: true });
  }
}

function readEvents(file: string): WorkerEvent[] {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // It has not written anything yet.
  }
  return text.split("\n").flatMap((line) => {
    const [kind, task, atMs] = line.split(" ");
    // Only worker-process.ts writes these.
    return task === undefined ? [] : [{ kind: kind as WorkerEvent["kind"], task, atMs: Number(atMs) }];
  });
}
