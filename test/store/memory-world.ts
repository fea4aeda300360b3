/** What the brokers of one memory store share. */
import {
  type Enqueued,
  SAMPLE_MS,
  SAMPLES_KEPT,
  type Sample,
  type StoreEvents,
  type StoreOptions,
  TaskwireError,
  type WorkerRecord,
} from "@taskwire/server/testing";
import { ModelQueue } from "./model.ts";
import type { Admission } from "./model-rate.ts";
import type { ModelTask } from "./model-task.ts";

export class MemoryWorld {
  readonly queues = new Map<string, ModelQueue>();
  /** When each broker was last heard of. */
  readonly brokers = new Map<string, number>();
  readonly workers = new Map<string, WorkerRecord>();
  readonly batches = new Map<string, readonly Enqueued[]>();
  /** Who listens, with the id of its broker. */
  readonly listeners = new Map<StoreEvents, () => string>();
  #samples: readonly Sample[] = [];

  queueFor(name: string, { maxQueues, maxDeadPerQueue }: StoreOptions): ModelQueue {
    const known = this.queues.get(name);
    if (known) return known;
    if (this.queues.size >= maxQueues) {
      throw new TaskwireError("TOO_MANY_QUEUES", `there are ${maxQueues} queues already`);
    }
    const queue = new ModelQueue(name, maxDeadPerQueue);
    this.queues.set(name, queue);
    return queue;
  }

  tell(what: (events: StoreEvents) => void): void {
    for (const events of this.listeners.keys()) what(events);
  }

  dropOld({ resultTtlMs, maxResultsPerQueue, deadTtlMs }: StoreOptions, now: number): void {
    for (const queue of this.queues.values()) {
      const ended = [...queue.inState("completed"), ...queue.inState("cancelled")].sort((a, b) => b.ended - a.ended);
      const tooOld = ended.filter((entry, i) => i >= maxResultsPerQueue || endOf(entry) + resultTtlMs < now);
      for (const { key } of tooOld) queue.tasks.delete(key);
      for (const dead of queue.inState("dead")) if (endOf(dead) + deadTtlMs < now) queue.dropDead(dead);
    }
  }

  putSample(sample: Sample, now: number): void {
    const isReplaced = ({ brokerId, slot }: Sample) => brokerId === sample.brokerId && slot === sample.slot;
    this.#samples = [...this.samples(now).filter((kept) => !isReplaced(kept)), sample];
  }

  samples(now: number): readonly Sample[] {
    const first = Math.floor(now / SAMPLE_MS) - SAMPLES_KEPT + 1;
    return this.#samples.filter(({ slot }) => slot >= first).sort((a, b) => a.slot - b.slot);
  }

  /** As good as any: the bytes of the bodies. */
  usedBytes(): number {
    const tasks = [...this.queues.values()].flatMap((queue) => [...queue.tasks.values()]);
    return tasks.reduce((sum, { task }) => sum + task.body.length, 1);
  }
}

function endOf({ lastResult }: ModelTask): number {
  return lastResult?.endedAtMs ?? 0;
}

/** Throws what a store throws when a queue's rate does not admit a call. */
export function refuse(queue: string, admission: Admission): void {
  if (admission.kind === "above-burst") {
    throw new TaskwireError("BATCH_ABOVE_BURST", `the batch is larger than the burst of ${queue}`);
  }
  if (admission.kind === "limited") {
    const { retryAfterMs } = admission;
    throw new TaskwireError("RATE_LIMITED", `${queue} takes no more tasks for ${retryAfterMs} ms`, { retryAfterMs });
  }
}
