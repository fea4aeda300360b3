import { expect, test } from "vitest";
import { METRICS, MetricsPage } from "../observe/metrics.ts";
import type { Numbers } from "./live.ts";
import { ZERO_COUNTERS } from "./live.ts";
import { MEASURED_QUEUES, Measures } from "./measures.ts";
import { takeReadings } from "./readings.ts";

const DELIVERY = { sessions: 2, heldTasks: 3, windowTasks: 20, revokedOutcomes: 1 };

test("a page says what was measured, counted and stands now", async () => {
  const measures = new Measures();
  measures.countEnqueued("mail", "email", 7);
  const mail = measures.queue("mail");
  mail.counts.completed = 5;
  mail.counts.stale = 2;
  mail.run.add(3, 4);
  mail.run.add(40);
  measures.storeCall("claim").add(100);
  measures.storeErrorsOf("claim").STORE_UNAVAILABLE++;

  const lines = await pageOf(measures, async () => numbers([queueStats("mail", { ready: 4 }, 1_500)]));

  expect(lines).toEqual(
    expect.arrayContaining([
      "# TYPE taskwire_tasks_completed_total counter",
      'taskwire_tasks_enqueued_total{queue="mail",type="email"} 7',
      'taskwire_tasks_completed_total{queue="mail"} 5',
      "taskwire_settles_stale_total 3",
      "# TYPE taskwire_task_run_seconds histogram",
      'taskwire_task_run_seconds_bucket{queue="mail",le="0.002"} 0',
      'taskwire_task_run_seconds_bucket{queue="mail",le="0.004"} 4',
      'taskwire_task_run_seconds_bucket{queue="mail",le="0.032"} 4',
      'taskwire_task_run_seconds_bucket{queue="mail",le="0.064"} 5',
      'taskwire_task_run_seconds_bucket{queue="mail",le="+Inf"} 5',
      'taskwire_task_run_seconds_sum{queue="mail"} 0.052',
      'taskwire_task_run_seconds_count{queue="mail"} 5',
      'taskwire_queue_tasks{queue="mail",state="ready"} 4',
      'taskwire_queue_oldest_ready_seconds{queue="mail"} 1.5',
      'taskwire_queue_paused{queue="mail"} 0',
      'taskwire_queue_workers{queue="mail"} 2',
      "taskwire_workers 2",
      "taskwire_brokers 1",
      "taskwire_sessions 2",
      "taskwire_held_tasks 3",
      "taskwire_window_tasks 20",
      "taskwire_store_up 1",
      "taskwire_store_used_bytes 4096",
      'taskwire_store_call_seconds_bucket{verb="claim",le="0.000128"} 1',
      'taskwire_store_errors_total{verb="claim",code="STORE_UNAVAILABLE"} 1',
      'taskwire_store_errors_total{verb="claim",code="BUG"} 0',
    ]),
  );
  expect(lines.some((line) => line.startsWith("nodejs_eventloop_lag_p99_seconds "))).toBe(true);
  expect(lines.some((line) => line.startsWith("process_resident_memory_bytes "))).toBe(true);
});

test("a queue of which this broker has seen nothing is told with zeros, so that its first task is seen as a rise", async () => {
  const lines = await pageOf(new Measures(), async () => numbers([queueStats("quiet", {})]));

  expect(lines).toContain('taskwire_tasks_failed_total{queue="quiet"} 0');
});

test("queues without a place of their own are told together", async () => {
  const measures = new Measures();
  for (let i = 0; i < MEASURED_QUEUES; i++) measures.queue(`busy${i}`);

  const queues = [
    queueStats("a", { dead: 1 }, 1_000),
    queueStats("b", { dead: 2 }, 9_000, true),
    queueStats("busy0", {}),
  ];
  const lines = await pageOf(measures, async () => numbers(queues));

  expect(lines).toContain('taskwire_queue_tasks{queue="other",state="dead"} 3');
  expect(lines).toContain('taskwire_queue_oldest_ready_seconds{queue="other"} 9');
  expect(lines).toContain('taskwire_queue_paused{queue="other"} 1');
  expect(lines).toContain('taskwire_queue_tasks{queue="busy0",state="dead"} 0');
  expect(lines.filter((line) => line.includes('queue="a"'))).toEqual([]);
});

test("while the store is away the page says so, and what this broker knows itself", async () => {
  const measures = new Measures();
  measures.queue("mail").counts.completed = 5;

  const lines = await pageOf(measures, () => Promise.reject(new Error("away")));

  expect(lines).toContain("taskwire_store_up 0");
  expect(lines).toContain('taskwire_tasks_completed_total{queue="mail"} 5');
  expect(lines.filter((line) => line.startsWith("taskwire_queue_tasks"))).toEqual([]);
});

test("names and labels of any text are told as Prometheus reads them", async () => {
  const measures = new Measures();
  measures.countEnqueued('a"\\\nb', "t", 1);

  const lines = await pageOf(measures, async () => numbers([]));

  expect(lines).toContain('taskwire_tasks_enqueued_total{queue="a\\"\\\\\\nb",type="t"} 1');
});

test("each metric is named as Prometheus advises, has all of its labels, and no others", async () => {
  const measures = new Measures();
  measures.countEnqueued("mail", "email", 7);
  measures.storeCall("claim").add(100);
  const readings = await takeReadings(
    { numbers: async () => numbers([queueStats("mail", {})]) },
    measures,
    () => DELIVERY,
  );

  for (const [name, { type, labels }] of Object.entries(METRICS)) {
    expect(name).toMatch(/^taskwire_[a-z_]+$/);
    expect(name.endsWith("_total"), name).toBe(type === "counter");
    if (type === "histogram") expect(name).toMatch(/_seconds$/);
    const values = readings[name as keyof typeof METRICS];
    expect(values.length, name).toBeGreaterThan(0);
    for (const value of values) {
      const told = Object.keys(value.labels ?? {}).filter((label) => label !== "le");
      expect(told, name).toEqual(labels);
    }
  }
});

test("two that ask at once get the same page", async () => {
  let asked = 0;
  const measures = new Measures();
  const page = new MetricsPage(() =>
    takeReadings({ numbers: async () => numbers([queueStats(`q${++asked}`, {})]) }, measures, () => DELIVERY),
  );

  const [one, two] = await Promise.all([page.text(), page.text()]);

  expect(one).toContain("taskwire_store_up 1");
  expect(two).toContain("taskwire_store_up 1");
  expect(page.contentType).toContain("text/plain");
});

async function pageOf(measures: Measures, read: () => Promise<Numbers>): Promise<string[]> {
  const page = new MetricsPage(() => takeReadings({ numbers: read }, measures, () => DELIVERY));
  return (await page.text()).split("\n");
}

const NOW = 1_700_000_000_000;

function numbers(queues: Numbers["queues"]): Numbers {
  return {
    timeMs: NOW,
    queues,
    total: ZERO_COUNTERS,
    enqueuedByType: new Map(),
    workers: 2,
    workersByQueue: new Map([["mail", 2]]),
    brokers: 1,
    store: { description: "a store", durability: "fsync", usedBytes: 4_096 },
  };
}

function queueStats(queue: string, counters: Partial<typeof ZERO_COUNTERS>, waitingMs?: number, paused = false) {
  return {
    queue,
    counters: { ...ZERO_COUNTERS, ...counters },
    policy: { paused, enqueueRate: undefined },
    oldestReadyAtMs: waitingMs === undefined ? undefined : NOW - waitingMs,
    enqueuedByType: new Map<string, number>(),
  };
}
