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

  /** Resolves with the reason when the queue cannot be had. */
  async add(queue: string): Promise<Error | undefined> {
    const { registerQueue } = SCRIPTS;
    const keys = keysOf(registerQueue, globalKeys(this.#namespace));
    try {
      const name = String(await this.#connection.run(registerQueue, keys, [queueTag(queue), queue, this.#maxQueues]));
      if (name === "") return tooManyQueues(queue, this.#maxQueues);
      if (name !== queue) return sameTag(queue, name);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
    this.#known.add(queue);
    return undefined;
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

function tooManyQueues(queue: string, max: number): TaskwireError {
  return new TaskwireError("TOO_MANY_QUEUES", `there are ${max} queues already, so ${queue} cannot be added`);
}

function sameTag(queue: string, other: string): TaskwireError {
  return new TaskwireError(
    "INVALID_ARGUMENT",
    `the queue ${queue} cannot be told from ${other} by its tag; choose another name`,
  );
}
