import { beforeEach, describe, expect, test } from "vitest";
import { storeUnavailable, TaskwireError } from "../domain/errors.ts";
import type { Failure, Grant, NewTask, Outcome, Settlement, Store } from "../store/store.ts";
import { MeasuredStore } from "./measured-store.ts";
import { Measures } from "./measures.ts";
import { TIMED_CALLS } from "./sampled-times.ts";
import { StoreClock } from "./store-clock.ts";
import { storeOf } from "./store-fixture.ts";

let measures: Measures;
beforeEach(() => {
  measures = new Measures();
});

const measured = (answers: Partial<Store>) =>
  new MeasuredStore(storeOf(answers), measures, new StoreClock({ now: async () => Date.now() }));
const counts = (queue = "q") =>
  Object.fromEntries(Object.entries(measures.queue(queue).counts).filter(([, n]) => n > 0));

describe("counts", () => {
  test("created tasks by queue and type, and not those that were there before", async () => {
    const created = { kind: "created", key: "", state: "ready", runAtMs: 0 } as const;
    const store = measured({
      enqueue: async (_, tasks) => tasks.map(({ key }) => (key ? { ...created, kind: "existing" } : created)),
    });

    await store.enqueue("q", [newTask("a"), newTask("a"), newTask("b"), newTask("a", "known"), newTask("a")]);
    await store.enqueue("r", [newTask("a")]);

    expect(measures.queue("q").types).toEqual(new Map(Object.entries({ a: 3, b: 1 })));
    expect(measures.queue("r").types).toEqual(new Map(Object.entries({ a: 1 })));
  });

  test("each kind of outcome that counted, and those that were stale", async () => {
    const outcomes: Outcome[] = [
      { kind: "ack", result: undefined, durationMs: 10, workerId: "w" },
      { kind: "retry", delayMs: 0, failure: FAILURE },
      { kind: "bury", failure: FAILURE },
      { kind: "discard", failure: FAILURE },
      { kind: "lose", failure: FAILURE },
      { kind: "lose", failure: undefined },
      { kind: "release" },
      { kind: "snooze", delayMs: 1 },
      { kind: "ack", result: undefined, durationMs: 10, workerId: "w" },
    ];
    const store = measured({ settle: async () => outcomes.map((_, i) => (i === 8 ? "stale" : "settled")) });

    await store.settle("q", outcomes.map(settlement));

    expect(counts()).toEqual({ completed: 1, failed: 3, retried: 1, buried: 1, cancelled: 1, lost: 1, stale: 1 });
    expect(measures.queue("q").run.count).toBe(4);
  });

  test("what is steered, by what was done", async () => {
    const store = measured({
      cancel: async (_, key) => (key === "a" ? { kind: "cancelled", lease: undefined, index: 0 } : { kind: "missing" }),
      revive: async () => ["done", "missing", "done"],
      deleteDead: async () => ["done", "ready"],
      reap: async () => 7,
    });

    await Promise.all([store.cancel("q", "a", ""), store.cancel("q", "b", ""), store.reap()]);
    await Promise.all([store.revive("q", ["a", "b", "c"]), store.deleteDead("q", ["a", "b"])]);

    expect(counts()).toEqual({ cancelled: 1, revived: 2, deleted: 1 });
    expect(measures.reaped).toBe(7);
  });

  test("what the rate of a queue refuses, which is no failure of the store", async () => {
    const limited = new TaskwireError("RATE_LIMITED", "rate limit exceeded");
    const store = measured({ enqueue: () => Promise.reject(limited) });

    await expect(store.enqueue("q", [newTask("a"), newTask("a")])).rejects.toBe(limited);

    expect(counts()).toEqual({ rateLimited: 2 });
    expect(measures.storeErrorsOf("enqueue")).toEqual({ STORE_UNAVAILABLE: 0, STORE_FULL: 0, BUG: 0 });
  });

  test("calls that fail, by verb and reason", async () => {
    const store = measured({
      claim: () => Promise.reject(storeUnavailable("gone", "none")),
      find: () => Promise.reject(new Error("a bug")),
    });

    await store.claim("q", LIMIT).catch(() => {});
    await store.find("q", "a").catch(() => {});

    expect(measures.storeErrors.get("claim")).toEqual({ STORE_UNAVAILABLE: 1, STORE_FULL: 0, BUG: 0 });
    expect(measures.storeErrors.get("find")).toEqual({ STORE_UNAVAILABLE: 0, STORE_FULL: 0, BUG: 1 });
  });

  test("nothing of queues that were only asked for tasks", async () => {
    await measured({ claim: async () => [] }).claim("no-such-queue", LIMIT);

    expect(measures.queues.size).toBe(0);
  });
});

describe("times", () => {
  test("how long the tasks of a grant have waited since they were ready, or due; not of those that were delivered before", async () => {
    const nowMs = Date.now();
    const first = { attempt: 1, lostCount: 0, enqueuedAtMs: nowMs - 1_000, runAtMs: 0 };
    const grants = [
      { ...first, count: 2 },
      { ...first, count: 1, enqueuedAtMs: nowMs - 60_000, runAtMs: nowMs - 1_000 },
      { ...first, count: 1, attempt: 2 },
      { ...first, count: 1, lostCount: 1 },
    ] as Grant[];

    await measured({ claim: async () => grants }).claim("q", LIMIT);

    const { wait } = measures.queue("q");
    expect(counts()).toEqual({ dequeued: 5 });
    expect(wait.count).toBe(3);
    expect(wait.quantile(0.5)).toBeGreaterThan(960);
    expect(wait.quantile(1)).toBeLessThan(2_000);
  });

  test("from enqueue to completion, where both are known", async () => {
    const ack = settlement({ kind: "ack", result: undefined, durationMs: 20, workerId: "" });
    const settlements = [ack, { ...ack, enqueuedAtMs: Date.now() - 5_000 }];

    await measured({ settle: async () => ["settled", "settled"] }).settle("q", settlements);

    const { run, endToEnd } = measures.queue("q");
    expect([run.count, run.quantile(1)]).toEqual([2, 20]);
    expect(endToEnd.count).toBe(1);
    expect(endToEnd.quantile(1)).toBeGreaterThan(4_800);
  });

  test("calls of the store by their verbs, one for eight of those that are many", async () => {
    const store = measured({ claim: () => new Promise((resolve) => setTimeout(resolve, 20, [])) });

    const micros = measures.storeCall("claim");

    await store.claim("q", LIMIT);
    expect(micros.count, "the first one").toBe(TIMED_CALLS);
    await store.claim("q", LIMIT);

    expect(micros.count).toBe(TIMED_CALLS);
    expect(micros.quantile(0.5)).toBeGreaterThan(15_000);
  });
});

test("the promise of the store is handed on as it is", async () => {
  const answer = Promise.resolve([]);

  expect(measured({ claim: () => answer }).claim("q", LIMIT)).toBe(answer);
});

test("what a store tells of itself may change", () => {
  const inner = { brokerId: "A" };
  const store = measured(inner);
  expect(store.brokerId).toBe("A");

  inner.brokerId = "B";

  expect(store.brokerId).toBe("B");
});

const LIMIT = { maxTasks: 10, maxBytes: 1_000 };
const FAILURE: Failure = { type: "E", message: "no", stack: "", durationMs: 30, workerId: "w" };

function newTask(type: string, key?: string): NewTask {
  return { body: new Uint8Array(), type, key, priority: 0, delayMs: 0, runAtMs: 0, hasOptions: false };
}

function settlement(outcome: Outcome): Settlement {
  return { lease: { queue: "q", broker: "B", sequence: 1, block: "b", alone: false, attempt: 1 }, index: 0, outcome };
}
