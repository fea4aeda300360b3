/** How each metric of observe/metrics.ts is read. One look at the store for all of them, shared with whoever else looks. */
import type { Sketch } from "../lib/sketch.ts";
import type { Readings, Value } from "../observe/metrics.ts";
import type { QueueStats } from "../store/store.ts";
import type { LiveStats, Numbers } from "./live.ts";
import type { Counted, Measures, Timed } from "./measures.ts";

/** What only the delivery knows. */
export interface DeliveryReadings {
  readonly sessions: number;
  readonly heldTasks: number;
  readonly windowTasks: number;
  /** Outcomes for tasks that this broker had taken away itself: they never reach the store. */
  readonly revokedOutcomes: number;
}

/** A store that takes longer counts as away: Prometheus gives up after 10 s, and then even what this broker knows itself is lost. */
const STORE_WAIT_MS = 3_000;

/** 1 ms to 17 min. Powers of two, since those are borders of a sketch's buckets: these counts are exact. */
const TASK_BOUNDS_MS = Array.from({ length: 21 }, (_, exponent) => 2 ** exponent);
/** 64 µs to 8 s. */
const STORE_BOUNDS_US = Array.from({ length: 18 }, (_, exponent) => 2 ** (exponent + 6));

const STATES = ["scheduled", "ready", "active", "dead"] as const;

export async function takeReadings(
  stats: Pick<LiveStats, "numbers">,
  measures: Measures,
  delivery: () => DeliveryReadings,
): Promise<Readings> {
  const numbers = await withinMs(STORE_WAIT_MS, stats.numbers());
  // First what the store tells: it may name queues of which this broker is to tell that it did nothing yet.
  const told = all(numbers, measures);
  return { ...told, ...broker(measures, delivery()), taskwire_store_up: [{ value: numbers ? 1 : 0 }] };
}

/** Undefined when it fails, or is not there in time. */
async function withinMs<T>(ms: number, answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([answer.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What this broker did and holds. */
function broker(measures: Measures, { sessions, heldTasks, windowTasks, revokedOutcomes }: DeliveryReadings) {
  const queues = [...measures.queues];
  const count = (counted: Counted): Value[] =>
    queues.map(([queue, { counts }]) => ({ labels: { queue }, value: counts[counted] }));
  const stale = queues.reduce((sum, [, { counts }]) => sum + counts.stale, revokedOutcomes);
  const timed = (name: string, what: Timed): Value[] =>
    queues.flatMap(([queue, { [what]: sketch }]) =>
      histogram(name, { queue }, sketch, { bounds: TASK_BOUNDS_MS, unitsPerSecond: 1_000 }),
    );
  return {
    taskwire_tasks_enqueued_total: queues.flatMap(([queue, { types }]) =>
      [...types].map(([type, value]) => ({ labels: { queue, type }, value })),
    ),
    taskwire_tasks_dequeued_total: count("dequeued"),
    taskwire_tasks_completed_total: count("completed"),
    taskwire_tasks_failed_total: count("failed"),
    taskwire_tasks_retried_total: count("retried"),
    taskwire_tasks_dead_total: count("buried"),
    taskwire_tasks_cancelled_total: count("cancelled"),
    taskwire_tasks_lost_total: count("lost"),
    taskwire_tasks_reaped_total: [{ value: measures.reaped }],
    taskwire_tasks_revived_total: count("revived"),
    taskwire_tasks_deleted_total: count("deleted"),
    taskwire_tasks_rate_limited_total: count("rateLimited"),
    taskwire_settles_stale_total: [{ value: stale }],
    taskwire_task_wait_seconds: timed("taskwire_task_wait_seconds", "wait"),
    taskwire_task_run_seconds: timed("taskwire_task_run_seconds", "run"),
    taskwire_task_end_to_end_seconds: timed("taskwire_task_end_to_end_seconds", "endToEnd"),
    taskwire_sessions: [{ value: sessions }],
    taskwire_window_tasks: [{ value: windowTasks }],
    taskwire_held_tasks: [{ value: heldTasks }],
    taskwire_store_call_seconds: [...measures.storeCalls].flatMap(([verb, sketch]) =>
      histogram("taskwire_store_call_seconds", { verb }, sketch, {
        bounds: STORE_BOUNDS_US,
        unitsPerSecond: 1_000_000,
      }),
    ),
    taskwire_store_errors_total: [...measures.storeErrors].flatMap(([verb, errors]) =>
      Object.entries(errors).map(([code, value]) => ({ labels: { verb, code }, value })),
    ),
  };
}

function histogram(
  name: string,
  labels: Readonly<Record<string, string>>,
  sketch: Sketch,
  { bounds, unitsPerSecond }: { readonly bounds: readonly number[]; readonly unitsPerSecond: number },
): Value[] {
  const metricName = `${name}_bucket`;
  const below = sketch.below(bounds);
  return [
    ...bounds.map((bound, i) => ({
      metricName,
      labels: { ...labels, le: bound / unitsPerSecond },
      value: below[i] ?? 0,
    })),
    { metricName, labels: { ...labels, le: "+Inf" }, value: sketch.count },
    { metricName: `${name}_sum`, labels, value: sketch.sum / unitsPerSecond },
    { metricName: `${name}_count`, labels, value: sketch.count },
  ];
}

/** What is about the whole installation. Nothing of it when the store is away: an old number would pass for a new one. */
function all(numbers: Numbers | undefined, measures: Measures) {
  const queues = numbers ? byLabel(numbers, measures) : [];
  const each = (value: (queue: Told) => number): Value[] =>
    queues.map((told) => ({ labels: { queue: told.label }, value: value(told) }));
  const one = (value: number | undefined): Value[] => (value === undefined ? [] : [{ value }]);
  return {
    taskwire_tasks_dropped_total: each(({ dropped }) => dropped),
    taskwire_queue_tasks: queues.flatMap(({ label, tasks }) =>
      STATES.map((state) => ({ labels: { queue: label, state }, value: tasks[state] })),
    ),
    taskwire_queue_oldest_ready_seconds: each(({ oldestReadyMs }) => oldestReadyMs / 1_000),
    taskwire_queue_paused: each(({ paused }) => (paused ? 1 : 0)),
    taskwire_queue_workers: each(({ workers }) => workers),
    taskwire_workers: one(numbers?.workers),
    taskwire_brokers: one(numbers?.brokers),
    taskwire_store_used_bytes: one(numbers?.store.usedBytes),
  };
}

/** What is told under one name: of one queue, or of all that have no name of their own. */
interface Told {
  readonly label: string;
  readonly tasks: Record<(typeof STATES)[number], number>;
  dropped: number;
  oldestReadyMs: number;
  paused: boolean;
  workers: number;
}

/** Of queues that share a name: sums, and the longest wait. */
function byLabel({ queues, timeMs, workersByQueue }: Numbers, measures: Measures): Told[] {
  const told = new Map<string, Told>();
  for (const stats of queues) {
    // The same name as for what this broker measures. A queue that it sees here first gets its place now, for good.
    measures.queue(stats.queue);
    const label = measures.labelOf(stats.queue);
    const known = told.get(label) ?? nothing(label);
    told.set(label, known);
    addTo(known, stats, timeMs);
    known.workers += workersByQueue.get(stats.queue) ?? 0;
  }
  return [...told.values()];
}

function nothing(label: string): Told {
  const tasks = { scheduled: 0, ready: 0, active: 0, dead: 0 };
  return { label, tasks, dropped: 0, oldestReadyMs: 0, paused: false, workers: 0 };
}

function addTo(told: Told, { counters, policy, oldestReadyAtMs }: QueueStats, nowMs: number): void {
  for (const state of STATES) told.tasks[state] += counters[state];
  told.dropped += counters.dropped;
  told.oldestReadyMs = Math.max(told.oldestReadyMs, nowMs - (oldestReadyAtMs ?? nowMs));
  told.paused ||= policy.paused;
}
