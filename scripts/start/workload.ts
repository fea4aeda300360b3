/** Starts the processes one after the other, follows the tasks through the broker, and judges how they ended. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@taskwire/client";
import { Failures } from "./failures.ts";
import type { Scene } from "./picture.ts";
import type { Processes } from "./processes.ts";
import { Progress } from "./progress.ts";
import { judge, type Verdict } from "./summary.ts";

const WATCH_MS = 250;
/** Longer than any pause in the workload: the longest one before a retry is 9 s. */
const STUCK_MS = 30_000;

export class Workload {
  readonly #processes: Processes;
  readonly #progress = new Progress();

  constructor(processes: Processes) {
    this.#processes = processes;
  }

  async start(): Promise<Scene> {
    const startedAt = Date.now();
    const addresses = await this.#processes.startBroker();
    const address = addresses.grpc;
    const client = new Client({ address });
    const failures = new Failures(client);
    this.#processes.startWorker(address, (line) => failures.read(line));
    this.#processes.startProducer(address);
    void this.#follow(client, failures);
    return { addresses, progress: this.#progress, failures, startedAt };
  }

  async #follow(client: Client, failures: Failures): Promise<void> {
    for await (const stats of client.watchStats({ intervalMs: WATCH_MS })) {
      this.#progress.add(stats);
      void failures.update();
    }
  }

  /** Resolves when no task is left, or nothing moves any more. */
  async ended(): Promise<Verdict> {
    while (!(this.#processes.producerDone && this.#progress.hasEnded)) {
      if (Date.now() - this.#progress.changedAt > STUCK_MS) return stuck(judge(this.#progress));
      await sleep(WATCH_MS);
    }
    return judge(this.#progress);
  }
}

function stuck(verdict: Verdict): Verdict {
  const why = verdict.kind === "bad" ? verdict.reason : "the producer does not end";
  return { kind: "bad", reason: `nothing has moved for ${STUCK_MS / 1_000} s: ${why}` };
}
