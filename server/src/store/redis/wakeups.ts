/** Hints between brokers: a queue is no longer empty, a task that somebody waits for has ended. */
import { Redis } from "ioredis";
import type { Logger } from "../../observe/logger.ts";
import type { Commands, RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/** How long a queue counts as one where somebody waits; renewed while somebody does. */
const WAITING_MS = 5_000;

export class Wakeups {
  readonly #commands: Commands;
  readonly #subscriptions: RedisConnection;
  readonly #keys: Keys;
  readonly #logger: Logger;
  /** By queue and key: whom to tell that the task may have ended. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(commands: Commands, subscriptions: RedisConnection, keys: Keys, logger: Logger) {
    this.#commands = commands;
    this.#subscriptions = subscriptions;
    this.#keys = keys;
    this.#logger = logger;
  }

  /** `onReady` hears of queues that other brokers made not empty. */
  async start(brokerId: () => string, onReady: (queue: string) => void): Promise<void> {
    const { readyChannel, endedChannel } = this.#keys;
    this.#subscriptions.on("message", (channel: string, text: string) => {
      if (channel === endedChannel) {
        for (const name of text.split("\n")) this.#tell(name);
        return;
      }
      const [broker, queue = ""] = text.split(" ");
      if (broker !== brokerId()) onReady(queue);
    });
    this.#subscriptions.on("error", (err: unknown) => this.#logger.debug({ err }, "subscription connection"));
    if (this.#subscriptions instanceof Redis && this.#subscriptions.status === "wait") await this.#subscriptions.connect();
    await this.#subscriptions.subscribe(readyChannel, endedChannel);
  }

  stop(): void {
    this.#subscriptions.disconnect();
  }

  /** Tasks of a queue have ended. `isAwaited`: some broker waits for a task of this queue. */
  ended(queue: string, keys: readonly string[], isAwaited: boolean): void {
    if (keys.length === 0) return;
    if (this.#waiting.size > 0) for (const key of keys) this.#tell(`${queue} ${key}`);
    if (!isAwaited) return;
    const text = keys.map((key) => `${queue} ${key}`).join("\n");
    this.#commands.connection.publish(this.#keys.endedChannel, text).catch((err) => this.#logger.debug({ err }, "hint not published"));
  }

  #tell(name: string): void {
    for (const listener of this.#waiting.get(name) ?? []) listener();
  }

  /** Calls `listener` when the task may have ended, until the returned function is called. */
  listen(queue: string, key: string, listener: () => void): () => void {
    const name = `${queue} ${key}`;
    const listeners = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#waiting.delete(name);
    };
  }

  /** Says that somebody waits for a task of this queue: whoever settles it will publish. */
  async announce(queue: string): Promise<void> {
    await this.#commands.guard(() => this.#commands.connection.set(this.#keys.queue(queue).waiters, "1", "PX", WAITING_MS));
  }
}
