/**
 * One channel per namespace, on a connection of its own, by which brokers wake each other. Messages are "<what> <sender>
 * <queue>[ <key>]": "r" the queue has ready tasks, "e" this task has ended; and "c <sender> <queue> <broker> <sequence> <index>": a task that this
 * broker leased was cancelled. Hints only: nothing waits for them alone.
 */
import type { Redis } from "ioredis";
import type { Lease } from "../../domain/lease.ts";
import type { Logger } from "../../observe/logger.ts";
import { type Address, describeAddress } from "./address.ts";
import { createListener } from "./connection.ts";

export interface WakeupsOptions {
  readonly address: Address;
  readonly channel: string;
  readonly self: string;
  readonly logger: Logger;
  readonly onReady: (queue: string) => void;
  readonly onEnded: (queue: string, key: string) => void;
  readonly onCancelled: (queue: string, lease: Pick<Lease, "broker" | "sequence">, index: number) => void;
}

export class Wakeups {
  readonly #client: Redis;
  readonly #options: WakeupsOptions;

  constructor(options: WakeupsOptions) {
    this.#options = options;
    this.#client = createListener(options.address);
    // The main connection tells of trouble with the server.
    this.#client.on("error", (error: Error) => {
      const redis = describeAddress(options.address);
      options.logger.debug({ err: error, redis }, "wake-ups are cut off");
    });
    this.#client.on("message", (_channel: string, message: string) => this.#onMessage(message));
    // Also after each reconnect; to subscribe twice does no harm.
    this.#client.on("ready", () => void this.#subscribe());
  }

  async open(): Promise<void> {
    // One node of a cluster may be down: the next is tried in the background.
    await this.#client.connect().catch(() => undefined);
    await this.#subscribe();
  }

  close(): void {
    this.#client.disconnect();
  }

  async #subscribe(): Promise<void> {
    await this.#client.subscribe(this.#options.channel).catch(() => undefined);
  }

  #onMessage(message: string): void {
    const [what, sender, queue = "", key = "", sequence, index] = message.split(" ");
    const isOwn = sender === this.#options.self;
    if (what === "c") this.#options.onCancelled(queue, { broker: key, sequence: Number(sequence) }, Number(index));
    else if (what === "r" && !isOwn) this.#options.onReady(queue);
    else if (what === "e" && !isOwn) this.#options.onEnded(queue, key);
  }
}
