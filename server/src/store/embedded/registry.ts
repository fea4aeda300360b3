/** The queues of a store, by name, tag and number. */
import { TaskwireError } from "../../domain/errors.ts";
import { queueTag } from "../../domain/ids.ts";
import { Producers } from "./producers.ts";
import { Queue } from "./queue.ts";
import type { Turn } from "./turn.ts";

export class Registry {
  readonly #byName = new Map<string, Queue>();
  /** Those that are on disk, by tag. */
  readonly #byTag = new Map<string, Queue>();
  readonly #maxQueues: number;
  #lastId = 0;
  /** How many have a number. */
  #registered = 0;

  constructor(maxQueues: number) {
    this.#maxQueues = maxQueues;
  }

  get(name: string): Queue | undefined {
    return this.#byName.get(name);
  }

  /** The queue of this name. It counts only once its first task is accepted. */
  getOrCreate(name: string): Queue {
    let queue = this.#byName.get(name);
    if (queue === undefined) {
      queue = new Queue(name, new Producers());
      this.#byName.set(name, queue);
    }
    return queue;
  }

  byTag(tag: string): Queue | undefined {
    return this.#byTag.get(tag);
  }

  /** Those that are on disk. */
  all(): Iterable<Queue> {
    return this.#byTag.values();
  }

  /** Gives a new queue its number. */
  register(queue: Queue, turn: Turn): void {
    if (queue.id > 0) return;
    if (this.#registered >= this.#maxQueues)
      throw new TaskwireError("TOO_MANY_QUEUES", `there are ${this.#maxQueues} queues already; use one of them`);
    queue.id = ++this.#lastId;
    this.#registered++;
    turn.onUndo(() => {
      queue.id = 0;
      this.#registered--;
    });
    turn.put("q", queue, queue.name, Buffer.alloc(0));
    turn.putFormat(this.#registered);
  }

  /** A queue that was found on disk. */
  restore(name: string, id: number): Queue {
    const queue = this.getOrCreate(name);
    queue.id = id;
    this.#lastId = Math.max(this.#lastId, id);
    this.#registered++;
    this.publish(queue);
    return queue;
  }

  /** The queue is on disk. */
  publish(queue: Queue): void {
    if (queue.id > 0) this.#byTag.set(queueTag(queue.name), queue);
  }

  /** Drops a queue that came to nothing. */
  forgetUnused(queue: Queue): void {
    if (queue.id === 0 && queue.calls === 0) this.#byName.delete(queue.name);
  }

  /** The store ends: all who wait for a task look once more, and learn that it does. */
  tellWaiting(): void {
    for (const { waiting } of this.#byTag.values()) {
      for (const tells of [...waiting.values()]) for (const tell of [...tells]) tell();
    }
  }
}
