/** What the brokers of one memory store share. */
import {
  type Enqueued,
  SAMPLE_MS,
  SAMPLES_KEPT,
  type Sample,
  type StoreEvents,
  type WorkerRecord,
} from "@taskwire/server/testing";
import type { ModelQueue } from "./model.ts";

export class MemoryWorld {
  readonly queues = new Map<string, ModelQueue>();
  /** When each broker was last heard of. */
  readonly brokers = new Map<string, number>();
  readonly workers = new Map<string, WorkerRecord>();
  readonly batches = new Map<string, readonly Enqueued[]>();
  /** Who listens, with the id of its broker. */
  readonly listeners = new Map<StoreEvents, () => string>();
  #samples: readonly Sample[] = [];

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
