/** The last hour for the chart: what the store keeps of it, and the present as its last point. */
import { computed, effect, signal } from "@preact/signals";
import { CallError, call, type Rpc } from "../api/call.ts";
import { type CounterName, count, type Moment, ms, type Stats } from "../api/messages.ts";
import { link, stats } from "./link.ts";
import { perSecond } from "./rates.ts";

export const HISTORY: Rpc = { method: "StatsService/GetHistory", request: {} };
export const HOUR_MS = 60 * 60_000;

export interface Point {
  readonly atMs: number;
  readonly enqueued: number | null;
  readonly completed: number | null;
  readonly failed: number | null;
  readonly ready: number | null;
  readonly dead: number | null;
  /** In ms, the 95th percentile. */
  readonly wait: number | null;
  readonly run: number | null;
}

const REFRESH_MS = 10_000;
/** Moments are 10 s apart; between those that are further apart no broker was running, or none could count. */
const GAP_MS = 35_000;

const moments = signal<readonly Moment[]>([]);
/** What this page has seen itself: all there is while the broker keeps no history. */
const own = signal<readonly Point[]>([]);
let isMissing = false;
/** Why there is no history; undefined when there is. */
export const historyMissing = signal<string | undefined>(undefined);

export const points = computed<readonly Point[]>(() => {
  const kept = toPoints(moments.value);
  const latest = own.value.at(-1);
  if (kept.length < 2) return own.value;
  return latest && latest.atMs > (kept.at(-1)?.atMs ?? 0) ? [...kept, latest] : kept;
});

/** Loads it at once, and goes on doing so while the stream is live. Returns how to stop. */
export function followHistory(): () => void {
  let loadedAtMs = 0;
  return effect(() => {
    const latest = stats.value;
    if (link.peek().kind === "away") return;
    if (latest) addOwn(latest);
    if (isMissing || Date.now() - loadedAtMs < REFRESH_MS) return;
    loadedAtMs = Date.now();
    void load();
  });
}

async function load(): Promise<void> {
  try {
    const { moments: loaded = [] } = await call<{ moments?: readonly Moment[] }>(HISTORY);
    moments.value = loaded;
    historyMissing.value = undefined;
  } catch (error) {
    // A broker without it will not have it in 10 s either.
    if (error instanceof CallError && error.code === "unimplemented") isMissing = true;
    historyMissing.value = error instanceof CallError ? error.message : String(error);
  }
}

function addOwn(latest: Stats): void {
  const atMs = Date.parse(latest.time ?? "");
  if (!Number.isFinite(atMs)) return;
  const rate = (name: CounterName) => perSecond(name) ?? null;
  const point = {
    atMs,
    enqueued: rate("enqueued"),
    completed: rate("completed"),
    failed: rate("failed"),
    ...standing(latest),
  };
  own.value = [...own.peek().filter((one) => one.atMs > atMs - HOUR_MS), point];
}

function toPoints(all: readonly Moment[]): Point[] {
  const list: Point[] = [];
  all.forEach((moment, i) => {
    const before = all[i - 1];
    const atMs = Date.parse(moment.time ?? "");
    if (!before) return;
    const beforeMs = Date.parse(before.time ?? "");
    const passedMs = atMs - beforeMs;
    if (passedMs > GAP_MS) list.push(nothingAt(beforeMs + 1), nothingAt(atMs - 1));
    const rate = (name: CounterName) => {
      const change = count(moment.total?.[name]) - count(before.total?.[name]);
      return change < 0 || passedMs <= 0 || passedMs > GAP_MS ? null : change / (passedMs / 1_000);
    };
    list.push({
      atMs,
      enqueued: rate("enqueued"),
      completed: rate("completed"),
      failed: rate("failed"),
      ...standing(moment),
    });
  });
  return list;
}

function standing({ total, wait, run }: Moment) {
  return {
    ready: count(total?.ready),
    dead: count(total?.dead),
    wait: count(wait?.count) > 0 ? (ms(wait?.p95) ?? null) : null,
    run: count(run?.count) > 0 ? (ms(run?.p95) ?? null) : null,
  };
}

/** A break in the lines. */
function nothingAt(atMs: number): Point {
  return { atMs, enqueued: null, completed: null, failed: null, ready: null, dead: null, wait: null, run: null };
}
