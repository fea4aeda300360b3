/** The list of all queues: by its tag, each queue's name. */
import { TaskwireError } from "../../domain/errors.ts";
import { queueTag } from "../../domain/ids.ts";
import type { Connection } from "./connection.ts";
import { globalKeys, keysOf } from "./keys.ts";
import { SCRIPTS } from "./scripts.ts";

export class QueueRegistry {
  readonly #connection: Connection;
  readonly #namespace: string;
  readonly #maxQueues: number;
  /** Queues that are on the list; forgotten when the list may have been rolled back. */
  readonly #known = new Set<string>();

  constructor(connection: Connection, namespace: string, maxQueues: number) {
    this.#connection = connection;
    this.#namespace = namespace;
    this.#maxQueues = maxQueues;
  }

  has(queue: string): boolean {
    return this.#known.has(queue);
  }

  forget(): void {
    this.#known.clear();
  }

  /** @throws TOO_MANY_QUEUES */
  async add(queue: string): Promise<void> {
    const { registerQueue } = SCRIPTS;
    const keys = keysOf(registerQueue, globalKeys(this.#namespace));
    const name = String(await this.#connection.run(registerQueue, keys, [queueTag(queue), queue, this.#maxQueues]));
    if (name === "") {
      throw new TaskwireError("TOO_MANY_QUEUES", `there are ${this.#maxQueues} queues already, so ${queue} cannot be added`);
    }
    if (name !== queue) {
      throw new TaskwireError("INVALID_ARGUMENT", `the queue ${queue} cannot be told from ${name} by its tag; choose another name`);
    }
    this.#known.add(queue);
  }

  async all(): Promise<string[]> {
    const names = await this.#connection.command("HVALS", this.#key());
    return Array.isArray(names) ? names.map(String).sort() : [];
  }

  async byTag(tag: string): Promise<string | undefined> {
    const name = await this.#connection.command("HGET", this.#key(), tag);
    return name === null ? undefined : String(name);
  }

  #key(): string {
    return globalKeys(this.#namespace)["queues"] ?? "";
  }
}
