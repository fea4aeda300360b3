/** How far the workload is, by the numbers of the broker. */
import type { QueueCounters, Stats } from "@taskwire/client";

/** What the producer enqueues, by queue. */
export const WORKLOAD: Readonly<Record<string, number>> = { email: 100, image_processing: 10 };
export const WORKLOAD_TASKS = 110;

const RATE_OVER_MS = 3_000;

export interface QueueProgress {
  readonly queue: string;
  readonly counters: QueueCounters;
  readonly done: number;
  readonly total: number;
  /** Ended tasks a second, lately. */
  readonly rate: number;
}

/** The same numbers again and again, with what follows from comparing them. */
export class Progress {
  stats: Stats | undefined;
  /** When any number last changed. */
  changedAt = Date.now();
  #numbers = "";
  #history: { readonly at: number; readonly done: Readonly<Record<string, number>> }[] = [];

  add(stats: Stats): void {
    const now = Date.now();
    const numbers = JSON.stringify(stats.queues);
    if (numbers !== this.#numbers) this.changedAt = now;
    this.#numbers = numbers;
    this.stats = stats;
    this.#history.push({ at: now, done: mapValues(stats.queues, done) });
    this.#history = this.#history.filter(({ at }) => now - at <= RATE_OVER_MS);
  }

  /** The queues of the workload first, whether they exist yet or not. */
  get queues(): readonly QueueProgress[] {
    const queues = this.stats?.queues ?? {};
    const names = new Set([...Object.keys(WORKLOAD), ...Object.keys(queues)]);
    return [...names].map((queue) => {
      const counters = queues[queue] ?? NOTHING;
      const total = Math.max(WORKLOAD[queue] ?? 0, counters.enqueued);
      return { queue, counters, done: done(counters), total, rate: this.#rate(queue) };
    });
  }

  /** Whether every task of the workload has come, and every task that came has ended. */
  get hasEnded(): boolean {
    return this.queues.every(({ done, total }) => done === total);
  }

  #rate(queue: string): number {
    const [first, last] = [this.#history[0], this.#history.at(-1)];
    if (!first || !last || last.at === first.at) return 0;
    return ((last.done[queue] ?? 0) - (first.done[queue] ?? 0)) / ((last.at - first.at) / 1_000);
  }
}

export const NOTHING: QueueCounters = {
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

/** Tasks that came to their end: what does not wait or run. Also counts those that a handler discarded. */
function done({ enqueued, scheduled, ready, active }: QueueCounters): number {
  return enqueued - scheduled - ready - active;
}

function mapValues<In, Out>(record: Readonly<Record<string, In>>, map: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
