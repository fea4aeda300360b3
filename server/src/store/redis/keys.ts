/** Every key in Redis. README.md says what each holds. */

/** Keys of one queue share a hash tag, so that one script may touch them all in a Cluster. Partition 0 is the only one so far. */
export const QUEUE_KEYS = [
  "line",
  "cursor",
  "back",
  "prio",
  "due",
  "dead",
  "alone",
  "state",
  "left",
  "count",
  "buckets",
  "results",
  "producers",
  "waiters",
] as const;

export type QueueKey = (typeof QUEUE_KEYS)[number];

export type QueueKeys = Readonly<Record<QueueKey, string>>;

export class Keys {
  readonly #namespace: string;
  readonly #byQueue = new Map<string, QueueKeys>();

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  queue(queue: string): QueueKeys {
    let keys = this.#byQueue.get(queue);
    if (!keys) {
      const prefix = `{${this.#namespace}:${queue}:0}`;
      // Object.fromEntries forgets which names it was given.
      keys = Object.fromEntries(QUEUE_KEYS.map((name) => [name, `${prefix}:${name}`])) as QueueKeys;
      this.#byQueue.set(queue, keys);
    }
    return keys;
  }

  /** What a broker leased from a queue. */
  leases(queue: string, broker: string): string {
    return `{${this.#namespace}:${queue}:0}:leases:${broker}`;
  }

  /** Keys of the installation as a whole. */
  global(name: "queues" | "brokers" | "fenced" | "workers"): string {
    return `{${this.#namespace}}:${name}`;
  }

  /** The channel of hints: a queue is no longer empty. */
  get readyChannel(): string {
    return `{${this.#namespace}}:ready`;
  }

  /** The channel of hints: tasks that somebody waits for have ended. */
  get endedChannel(): string {
    return `{${this.#namespace}}:ended`;
  }
}
