/** One process of the demonstration: its lines, its end. It never outlives the process that started it. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

export interface Exit {
  readonly name: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const ROOT = join(import.meta.dirname, "../..");
const LEASH = pathToFileURL(join(import.meta.dirname, "leash.mjs")).href;
/** What is shown of a process that crashed. */
const MAX_LAST_LINES = 15;

export class Child {
  readonly name: string;
  /** Resolves when the process has ended and all that it wrote was read. */
  readonly exited: Promise<Exit>;
  readonly lastLines: string[] = [];
  #process: ChildProcess;
  #isStopping = false;
  #hasExited = false;

  /** @param script relative to the root of the repository */
  constructor(name: string, script: string, args: readonly string[], onLine: (line: string) => void = () => {}) {
    this.name = name;
    const loader = script.endsWith(".ts") ? ["--import", "tsx"] : [];
    this.#process = spawn(process.execPath, ["--import", LEASH, ...loader, script, ...args], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // A group of its own: Ctrl-C reaches us alone, and we stop the processes in the right order.
      detached: true,
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream) createInterface(stream).on("line", (line) => this.#read(line, onLine));
    }
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        this.#hasExited = true;
        resolve({ name, code, signal });
      };
      this.#process.once("close", end);
      this.#process.once("error", (error) => {
        this.lastLines.push(error.message);
        end(null, null);
      });
    });
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** Asks it to end; kills it when it takes longer than `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    if (this.#hasExited) return;
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.kill(), graceMs);
    await this.exited;
    clearTimeout(timer);
  }

  kill(): void {
    this.#isStopping = true;
    this.#process.kill("SIGKILL");
  }

  #read(line: string, onLine: (line: string) => void): void {
    this.lastLines.push(line);
    if (this.lastLines.length > MAX_LAST_LINES) this.lastLines.shift();
    onLine(line);
  }
}
