/** The three processes, and how they start and end together. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child, type Exit } from "./child.ts";
import type { Addresses, Options } from "./options.ts";
import { postMortem } from "./summary.ts";

/** Handlers take less than 3 s, and the broker waits for nobody once the worker has gone. */
const STOP_MS = 8_000;

export class Processes {
  /** Resolves with the story of the first process that ended and should not have. */
  readonly crashed: Promise<string>;
  readonly #options: Options;
  readonly #dataDir = mkdtempSync(join(tmpdir(), "taskwire-start-"));
  readonly #children: Child[] = [];
  #reportCrash: (story: string) => void = () => {};
  #producerDone = false;

  constructor(options: Options) {
    this.#options = options;
    this.crashed = new Promise((resolve) => {
      this.#reportCrash = resolve;
    });
    // However this process ends, short of SIGKILL: then their leash ends them.
    process.once("exit", () => {
      for (const child of this.#children) if (!child.hasExited) child.kill();
      rmSync(this.#dataDir, { recursive: true, force: true });
    });
  }

  /** Resolves with the addresses of the broker when it serves. Never when it cannot start: see `crashed`. */
  startBroker(): Promise<Addresses> {
    const { grpcListen, httpListen } = this.#options;
    const listen = ["--grpc-listen", grpcListen, "--http-listen", httpListen];
    const args = ["--store", "embedded", "--data-dir", this.#dataDir, ...listen];
    return new Promise((resolve) => {
      this.#start("broker", "server/dist/main.js", args, (line) => {
        const [, grpc, http] = /"grpc":"([^"]+)","http":"([^"]+)".*"broker ready"/.exec(line) ?? [];
        if (grpc && http) resolve({ grpc, http });
      });
    });
  }

  startWorker(address: string, onLine: (line: string) => void): void {
    this.#start("worker", "worker-sdk/examples/consumer.ts", [address], onLine);
  }

  startProducer(address: string): void {
    const { imageDelayMs, emailEveryMs } = this.#options;
    const args = [address, String(imageDelayMs / 1_000), String(emailEveryMs)];
    this.#start("producer", "client/examples/producer.ts", args);
  }

  /** Whether everything was enqueued. */
  get producerDone(): boolean {
    return this.#producerDone;
  }

  /** Producer, worker, broker: each may say good-bye to the one that is stopped after it. */
  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) await child.stop(STOP_MS);
  }

  #start(name: string, script: string, args: readonly string[], onLine?: (line: string) => void): void {
    const child = new Child(name, script, args, onLine);
    this.#children.push(child);
    void child.exited.then((exit) => this.#ended(child, exit));
  }

  #ended(child: Child, { code, signal }: Exit): void {
    if (child.isStopping) return;
    if (child.name === "producer" && code === 0) this.#producerDone = true;
    else this.#reportCrash(postMortem(child, signal ? `was ended by ${signal}` : `ended with exit code ${code}`));
  }
}
