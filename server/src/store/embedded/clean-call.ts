/** One step of cleaning a queue: the oldest results and dead tasks, and what producers are remembered by. */
import { dropDeadBefore, dropExcess } from "./dead-cap.ts";
import type { Call } from "./journal.ts";
import type { EmbeddedParts } from "./parts.ts";
import { producerDiskName } from "./producers.ts";
import type { Queue } from "./queue.ts";
import { dropResults } from "./results.ts";
import type { Turn } from "./turn.ts";

export class CleanCall implements Call {
  readonly grows = false;
  readonly canWait = true;
  readonly queue: Queue;
  readonly #parts: EmbeddedParts;
  readonly #resolve: (hasMore: boolean) => void;
  readonly #reject: (error: unknown) => void;
  #hasMore = false;

  constructor(
    parts: EmbeddedParts,
    queue: Queue,
    resolve: (hasMore: boolean) => void,
    reject: (error: unknown) => void,
  ) {
    this.#parts = parts;
    this.queue = queue;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  prepare(turn: Turn): void {
    const { database, options } = this.#parts;
    const hasMoreResults = dropResults(database, this.queue, options, turn);
    // The cap may be lower than it was when the store was open before.
    dropExcess(this.queue, options.maxDeadPerQueue, turn);
    this.#hasMore = dropDeadBefore(this.queue, turn.nowMs - options.deadTtlMs, turn) || hasMoreResults;
    const { producers } = this.queue;
    for (const producer of [...producers.expired(turn.nowMs)]) {
      const batch = producers.get(producer);
      producers.remove(producer);
      if (batch) turn.onUndo(() => producers.add(producer, batch, 0));
      turn.remove("p", this.queue, producerDiskName(producer));
    }
  }

  publish(): void {
    this.queue.producers.dropEmpty();
    this.#resolve(this.#hasMore);
  }

  fail(error: unknown): void {
    this.#reject(error);
  }
}
