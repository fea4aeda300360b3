import type { QueueCounters, QueueStats, Store } from "../store/store.ts";

/** All numbers at one moment. */
export interface Snapshot {
  readonly timeMs: number;
  readonly queues: readonly QueueStats[];
  readonly total: QueueCounters;
  readonly enqueuedByType: ReadonlyMap<string, number>;
  readonly workers: number;
  readonly brokers: number;
}

/** However many watch, the store is asked this often at most. */
const FRESH_MS = 200;

/** The numbers of the store, shared by all who ask for them. */
export class LiveStats {
  readonly #store: Store;
  #latest: Promise<Snapshot> | undefined;
  #takenAtMs = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Numbers that are at most 200 ms old. */
  snapshot(): Promise<Snapshot> {
    const nowMs = Date.now();
    if (this.#latest && nowMs - this.#takenAtMs < FRESH_MS) return this.#latest;
    this.#takenAtMs = nowMs;
    const latest = this.#take();
    this.#latest = latest;
    // A failure is for those who asked, not for the next.
    latest.catch(() => {
      if (this.#latest === latest) this.#latest = undefined;
    });
    return latest;
  }

  async #take(): Promise<Snapshot> {
    const names = await this.#store.queues();
    const [queues, timeMs, workers, brokers] = await Promise.all([
      this.#store.stats(names),
      this.#store.now(),
      this.#store.workers(),
      this.#store.brokers(),
    ]);
    const enqueuedByType = new Map<string, number>();
    for (const queue of queues) {
      for (const [type, count] of queue.enqueuedByType)
        enqueuedByType.set(type, (enqueuedByType.get(type) ?? 0) + count);
    }
    const distinct = new Set(workers.map((worker) => worker.workerId));
    return { timeMs, queues, total: sum(queues), enqueuedByType, workers: distinct.size, brokers };
  }
}

const ZERO: QueueCounters = {
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
  const total: { -readonly [Name in keyof QueueCounters]: number } = { ...ZERO };
  for (const { counters } of queues) {
    // The keys of ZERO are exactly those of the counters.
    for (const name of Object.keys(ZERO) as (keyof QueueCounters)[]) total[name] += counters[name];
  }
  return total;
}
