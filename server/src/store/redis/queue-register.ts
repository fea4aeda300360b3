import { TaskwireError } from "../../domain/errors.ts";
import { queueTag } from "../../domain/ids.ts";
import { type Context, SCRIPTS } from "./context.ts";

/** Which queues there are: their names by their tags. A queue is registered before its first task is stored. */
export class QueueRegister {
  readonly #context: Context;
  readonly #registered = new Set<string>();
  readonly #byTag = new Map<string, string>();

  constructor(context: Context) {
    this.#context = context;
  }

  isDone(queue: string): boolean {
    return this.#registered.has(queue);
  }

  /** @throws TOO_MANY_QUEUES */
  async ensure(queue: string): Promise<void> {
    const { commands, keys, options } = this.#context;
    const tag = queueTag(queue);
    const answer = String(
      await commands.run(SCRIPTS.register, [keys.global("queues")], [tag, queue, options.maxQueues]),
    );
    if (answer === "full") {
      const message = `there are ${options.maxQueues} queues already, so ${JSON.stringify(queue)} cannot be a new one (TASKWIRE_MAX_QUEUES)`;
      throw new TaskwireError("TOO_MANY_QUEUES", message, { metadata: { queue } });
    }
    if (answer === "taken")
      throw new TaskwireError(
        "INVALID_ARGUMENT",
        `the name ${JSON.stringify(queue)} shares its tag with another queue: choose another name`,
      );
    this.#registered.add(queue);
    this.#byTag.set(tag, queue);
  }

  async all(): Promise<readonly string[]> {
    const { commands, keys } = this.#context;
    const byTag = await commands.guard(() => commands.connection.hgetall(keys.global("queues")));
    for (const [tag, queue] of Object.entries(byTag)) this.#byTag.set(tag, queue);
    // A Redis that was rolled back has forgotten queues: they are registered again at their next enqueue.
    for (const queue of this.#registered) if (byTag[queueTag(queue)] !== queue) this.#registered.delete(queue);
    return Object.values(byTag).sort();
  }

  async byTag(tag: string): Promise<string | undefined> {
    const known = this.#byTag.get(tag);
    if (known !== undefined) return known;
    const { commands, keys } = this.#context;
    const queue = await commands.guard(() => commands.connection.hget(keys.global("queues"), tag));
    if (queue === null) return undefined;
    this.#byTag.set(tag, queue);
    return queue;
  }
}
