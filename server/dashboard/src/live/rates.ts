/** What happens per second, from the numbers of the last minute. */
import { signal } from "@preact/signals";
import { type CounterName, type Counters, count, type Stats } from "../api/messages.ts";

export interface Sample {
  readonly atMs: number;
  readonly total: Counters;
  readonly queues: ReadonlyMap<string, Counters>;
}

const KEPT_MS = 65_000;
const RATE_MS = 10_000;
const SHARE_MS = 60_000;

/** Oldest first. */
const samples = signal<readonly Sample[]>([]);

export function addSample({ time, total = {}, queues = [] }: Stats): void {
  const atMs = Date.parse(time ?? "");
  if (!Number.isFinite(atMs)) return;
  const sample = { atMs, total, queues: new Map(queues.map(({ name, counters = {} }) => [name, counters])) };
  const kept = samples.peek().filter((one) => one.atMs > atMs - KEPT_MS && one.atMs < atMs);
  samples.value = [...kept, sample];
}

/** Per second over the last 10 s, of one queue or of all; undefined before there is something to compare. */
export function perSecond(name: CounterName, queue?: string): number | undefined {
  const change = changeOf(RATE_MS, queue);
  return change && change.of(name) / (change.ms / 1_000);
}

/** The share of attempts that failed in the last minute; undefined when none ended. */
export function failureShare(queue?: string): number | undefined {
  const change = changeOf(SHARE_MS, queue);
  if (!change) return undefined;
  const failed = change.of("failed");
  const ended = failed + change.of("completed");
  return ended > 0 ? failed / ended : undefined;
}

function changeOf(windowMs: number, queue: string | undefined) {
  const all = samples.value;
  const last = all.at(-1);
  const first = all.find(({ atMs }) => last && atMs >= last.atMs - windowMs);
  if (!last || !first || first === last) return undefined;
  const from = countersOf(first, queue);
  const to = countersOf(last, queue);
  // A store that was emptied counts from 0 again.
  const of = (name: CounterName) => Math.max(0, count(to[name]) - count(from[name]));
  return { ms: last.atMs - first.atMs, of };
}

function countersOf({ total, queues }: Sample, queue: string | undefined): Counters {
  return queue === undefined ? total : (queues.get(queue) ?? {});
}
