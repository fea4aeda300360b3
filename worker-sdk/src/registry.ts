import type { TaskContext } from "./context.ts";
import type { Task } from "./task.ts";

/**
 * Does the work of one type of task.
 *
 * What it returns, or what its promise resolves with, is the task's result: `undefined` for none, a Uint8Array as it
 * is, anything else as JSON. What it throws decides how the task goes on: {@link Retry}, {@link Bury}, {@link
 * Discard}, {@link Snooze}; anything else is a failed attempt, tried again by the task's policy.
 */
export type Handler<Payload = unknown> = (task: Task<Payload>, ctx: TaskContext) => unknown;

/** The queue of a type that names none: the type itself, with `/` as a dot. */
export function defaultQueue(type: string): string {
  return type.replaceAll("/", ".");
}

/** The contract's letters. */
const TYPE_PATTERN = /^[A-Za-z0-9._/-]{1,128}$/;
/** The types of a queue are for people to see; the broker takes no more than this. */
const MAX_SHOWN_TYPES = 256;

/** Which handler does which type. */
export class Registry {
  readonly #handlers = new Map<string, Handler>();

  /** @throws TypeError when the type is not a type's name; Error when it has a handler already */
  add(type: string, handler: Handler): void {
    if (!TYPE_PATTERN.test(type)) {
      throw new TypeError(`task type ${JSON.stringify(type)} must be 1 to 128 of A-Z a-z 0-9 . _ - and /`);
    }
    if (typeof handler !== "function") throw new TypeError(`the handler for task type ${type} must be a function`);
    if (this.#handlers.has(type)) throw new Error(`task type ${type} has a handler already`);
    this.#handlers.set(type, handler);
  }

  get types(): string[] {
    return [...this.#handlers.keys()];
  }

  /** The handler of each type, wrapped, as it is from now on. */
  resolve(wrap: (handler: Handler) => Handler): (type: string) => Handler | undefined {
    const resolved = new Map([...this.#handlers].map(([type, handler]) => [type, wrap(handler)]));
    return (type) => resolved.get(type);
  }

  /**
   * Types that no named queue is the own one of, though others have theirs there: then they were likely forgotten. With
   * none of them, the queues are chosen by the producers.
   */
  withoutQueue(queues: readonly string[] | undefined): string[] {
    const missing = this.types.filter((type) => queues && !queues.includes(defaultQueue(type)));
    return missing.length < this.types.length ? missing : [];
  }

  /** The queues to take tasks from, and the types that may be expected in each. */
  subscriptions(queues: readonly string[] | undefined): { queue: string; types: string[] }[] {
    const types = this.types;
    // Any type may stand in a queue that was named: only its producers know.
    if (queues) return queues.map((queue) => ({ queue, types: types.slice(0, MAX_SHOWN_TYPES) }));
    const byQueue = new Map<string, string[]>();
    for (const type of types) {
      const queue = defaultQueue(type);
      byQueue.set(queue, [...(byQueue.get(queue) ?? []), type]);
    }
    return [...byQueue].map(([queue, typesOfQueue]) => ({ queue, types: typesOfQueue.slice(0, MAX_SHOWN_TYPES) }));
  }
}
