/** Every figure that can stand in the table, and the values that were measured for it. */
import type { SystemName } from "./settings.ts";

export const FIGURES = {
  enqueueSingle: { title: "enqueue, single calls, no worker", unit: "/s" },
  enqueueBulk: { title: "enqueue, bulk, no worker", unit: "/s" },
  drain: { title: "drain of a full queue", unit: "/s" },
  bytesSingle: { title: "store bytes per queued task, enqueued one by one", unit: "B" },
  bytesBulk: { title: "store bytes per queued task, enqueued in bulk", unit: "B" },
  endToEndSingle: { title: "end to end, single calls", unit: "/s" },
  endToEndBulk: { title: "end to end, bulk", unit: "/s" },
  cpuTotal: { title: "CPU per task, end to end single: all processes", unit: "µs" },
  cpuProducer: { title: "– producer", unit: "µs" },
  cpuBroker: { title: "– broker", unit: "µs" },
  cpuWorker: { title: "– worker", unit: "µs" },
  cpuRedis: { title: "– redis-server", unit: "µs" },
  warmP50: { title: "enqueue call → handler start at 200/s, warm: p50", unit: "ms" },
  warmP95: { title: "– p95", unit: "ms" },
  warmP99: { title: "– p99", unit: "ms" },
  coldP50: { title: "enqueue call → handler start at 200/s, first seconds of all processes: p50", unit: "ms" },
  coldP95: { title: "– p95", unit: "ms" },
  coldP99: { title: "– p99", unit: "ms" },
  backlogEnqueue: { title: "rate with many queued / empty: enqueue single", unit: "%" },
  backlogDrain: { title: "– drain", unit: "%" },
  backlogEndToEnd: { title: "– end to end single in another queue", unit: "%" },
  dueAtOnceP50: { title: "lateness, due all at once: p50", unit: "ms" },
  dueAtOnceP99: { title: "– p99", unit: "ms" },
  dueOneByOneP50: { title: "lateness, due one by one at 200/s: p50", unit: "ms" },
  dueOneByOneP99: { title: "– p99", unit: "ms" },
  busyShare: { title: "40 workers of concurrency 1, 100 ms handlers: slots busy", unit: "%" },
  resetP50: { title: "redelivery after a stream reset: p50", unit: "ms" },
  resetP99: { title: "– p99", unit: "ms" },
  workerKillP50: { title: "redelivery after kill -9 of the worker: p50", unit: "ms" },
  workerKillP99: { title: "– p99", unit: "ms" },
  brokerKillP50: { title: "redelivery after kill -9 of one of two brokers: p50", unit: "ms" },
  brokerKillP99: { title: "– p99", unit: "ms" },
  loadTestSeconds: { title: "the original's load test: time until all ended", unit: "s" },
  loadTestPerMinute: { title: "– tasks per minute", unit: "/min" },
  loadTestFailed: { title: "– failed attempts", unit: "" },
  loadTestRetried: { title: "– retried", unit: "" },
  loadTestFirstTry: { title: "– succeeded at the first attempt", unit: "%" },
  loadTestLost: { title: "– tasks that did not complete", unit: "" },
  doorsAlone: {
    title: "end to end, single calls, watched by 3 dashboards and a scraper: rate without them",
    unit: "/s",
  },
  doorsVisited: { title: "– rate with them", unit: "/s" },
  doorsShare: { title: "– with / without", unit: "%" },
  connectEnqueue: { title: "Enqueue as Connect JSON, one client, 20 connections kept: rate", unit: "/s" },
  connectCpu: { title: "– CPU of the broker for one call", unit: "µs" },
  listP50: { title: "ListTasks over HTTP, first page with many queued: p50", unit: "ms" },
  listP99: { title: "– p99", unit: "ms" },
  listFilteredP50: { title: "– filtered by type: p50", unit: "ms" },
  listFilteredP99: { title: "– filtered by type: p99", unit: "ms" },
  listInVainP50: { title: "– filtered by a type that no task has: p50", unit: "ms" },
  listInVainP99: { title: "– filtered by a type that no task has: p99", unit: "ms" },
  reviveMs: { title: "reviving very many dead tasks of one queue: time of the call", unit: "ms" },
  reviveIdleP99: { title: "– enqueue call → handler start at 200/s in another queue before: p99", unit: "ms" },
  reviveBusyP99: { title: "– the same during it: p99", unit: "ms" },
  reviveRatio: { title: "– during / before, p99", unit: "×" },
  firstViewP50: { title: "first view of the dashboard, nothing cached: p50", unit: "ms" },
  firstViewP99: { title: "– p99", unit: "ms" },
} as const;

export type FigureName = keyof typeof FIGURES;

export class Figures {
  readonly #values = new Map<string, number[]>();

  /** Adds the value of one run. What could not be measured on this machine is left out. */
  add(system: SystemName, figure: FigureName, value: number | undefined): void {
    if (value === undefined) return;
    const key = `${system} ${figure}`;
    this.#values.set(key, [...(this.#values.get(key) ?? []), value]);
  }

  of(system: SystemName, figure: FigureName): readonly number[] {
    return this.#values.get(`${system} ${figure}`) ?? [];
  }

  median(system: SystemName, figure: FigureName): number | undefined {
    return medianOf(this.of(system, figure));
  }
}

export function medianOf(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted[middle - 1];
  if (upper === undefined || sorted.length % 2 === 1 || lower === undefined) return upper;
  return (lower + upper) / 2;
}

/** Of few values: the nearest rank, so that the 99th percentile of ten is the largest. */
export function percentilesOf(values: readonly number[]): {
  readonly p50: number | undefined;
  readonly p99: number | undefined;
} {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (percent: number) => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  return { p50: medianOf(values), p99: at(99) };
}
