import { fresh } from "../lib/fresh.ts";
import type { Durability, QueueCounters, QueueStats, Store, WorkerRecord } from "../store/store.ts";
import type { History } from "./history.ts";
import type { Percentiles } from "./percentiles.ts";

/** What the store counts, at one moment. */
export interface Numbers {
  readonly timeMs: number;
  readonly queues: readonly QueueStats[];
  readonly total: QueueCounters;
  readonly enqueuedByType: ReadonlyMap<string, number>;
  readonly workers: number;
  /** Of each queue that a worker takes tasks from. */
  readonly workersByQueue: ReadonlyMap<string, number>;
  readonly brokers: number;
  readonly store: StoreInfo;
}

export interface Snapshot extends Numbers {
  /** From when a task was ready to its first delivery; over the last minute and all brokers. */
  readonly wait: Percentiles;
  /** From delivery to settlement; likewise. */
  readonly run: Percentiles;
}

/** Where the tasks are kept. */
export interface StoreInfo {
  readonly description: string;
  readonly durability: Durability;
  readonly usedBytes: number;
}

/** However many watch, the store is asked this often at most. */
const FRESH_MS = 200;

/** The numbers of the store, shared by all who ask for them. */
export class LiveStats {
  readonly #store: Store;
  readonly #history: History;

  constructor(store: Store, history: History) {
    this.#store = store;
    this.#history = history;
  }

  /** What the store counts; at most 200 ms old. */
  readonly numbers = fresh(FRESH_MS, () => this.#take());

  /** The same, with what took how long. */
  async snapshot(): Promise<Snapshot> {
    const [numbers, latency] = await Promise.all([this.numbers(), this.#history.lastMinute()]);
    return { ...numbers, ...latency };
  }

  /** The names of the queues of which this number is not 0. */
  async queuesWith(counter: keyof QueueCounters): Promise<readonly string[]> {
    const { queues } = await this.numbers();
    return queues.filter(({ counters }) => counters[counter] > 0).map(({ queue }) => queue);
  }

  async #take(): Promise<Numbers> {
    const names = await this.#store.queues();
    const [queues, timeMs, workers, brokers, usedBytes] = await Promise.all([
      this.#store.stats(names),
      this.#store.now(),
      this.#store.workers(),
      this.#store.brokers(),
      this.#store.usedBytes(),
    ]);
    const enqueuedByType = new Map<string, number>();
    for (const queue of queues) {
      for (const [type, count] of queue.enqueuedByType)
        enqueuedByType.set(type, (enqueuedByType.get(type) ?? 0) + count);
    }
    const { description, durability } = this.#store;
    return {
      timeMs,
      queues,
      total: sum(queues),
      enqueuedByType,
      workers: new Set(workers.map(({ workerId }) => workerId)).size,
      workersByQueue: countByQueue(workers),
      brokers,
      store: { description, durability, usedBytes },
    };
  }
}

/** A worker that has several streams for a queue is one worker. */
function countByQueue(workers: readonly WorkerRecord[]): Map<string, number> {
  const ids = new Map<string, Set<string>>();
  for (const { workerId, queues } of workers) {
    for (const { queue } of queues) {
      const known = ids.get(queue);
      if (known) known.add(workerId);
      else ids.set(queue, new Set([workerId]));
    }
  }
  return new Map([...ids].map(([queue, { size }]) => [queue, size]));
}

export const ZERO_COUNTERS: QueueCounters = {
  enqueued: 0,
  dequeued: 0,
  completed: 0,
  failed: 0,
  retried: 0,
  lost: 0,
  buried: 0,
  cancelled: 0,
  revived: 0,
  deleted: 0,
  dropped: 0,
  scheduled: 0,
  ready: 0,
  active: 0,
  dead: 0,
};

function sum(queues: readonly QueueStats[]): QueueCounters {
  const total: { -readonly [Name in keyof QueueCounters]: number } = { ...ZERO_COUNTERS };
  for (const { counters } of queues) {
    // The keys of ZERO_COUNTERS are exactly those of the counters.
    for (const name of Object.keys(ZERO_COUNTERS) as (keyof QueueCounters)[]) total[name] += counters[name];
  }
  return total;
}
