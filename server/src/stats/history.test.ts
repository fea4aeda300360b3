/** Slots, samples and history together, as brokers that share a store use them. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { History } from "./history.ts";
import { LiveStats, ZERO_COUNTERS } from "./live.ts";
import { Measures } from "./measures.ts";
import { Sampler } from "./sampler.ts";
import { CurrentSlot } from "./slot.ts";
import { StoreClock } from "./store-clock.ts";
import { SampleStore, storeOf } from "./store-fixture.ts";

const T0 = 1_700_000_000_000;

let shared: SampleStore;
let completed = 0;
beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
  shared = new SampleStore();
  completed = 0;
});
afterEach(() => void vi.useRealTimers());

function startBroker(id: string) {
  const own = { brokerId: id };
  const store = storeOf({
    queues: async () => ["q"],
    stats: async () => [
      {
        queue: "q",
        counters: { ...ZERO_COUNTERS, completed },
        policy: { paused: false, enqueueRate: undefined },
        oldestReadyAtMs: undefined,
        enqueuedByType: new Map(),
      },
    ],
    now: async () => Date.now(),
    workers: async () => [],
    brokers: async () => 1,
    usedBytes: async () => 0,
    putSample: (sample) => shared.putSample(sample),
    samples: () => shared.samples(),
  });
  Object.defineProperty(store, "brokerId", { get: () => own.brokerId });
  const measures = new Measures();
  const clock = new StoreClock(store);
  const slot = new CurrentSlot(measures, clock);
  const history = new History(store, slot);
  const stats = new LiveStats(store, history);
  const sampler = new Sampler({ store, stats, slot, clock }, (error) => {
    throw error;
  });
  return { own, measures, history, sampler, stats };
}

/** Lets the brokers put as their timers would. */
async function pass(seconds: number, ...brokers: ReturnType<typeof startBroker>[]) {
  for (let at = 0; at < seconds; at += 5) {
    vi.advanceTimersByTime(5_000);
    for (const { sampler } of brokers) await sampler.put();
  }
}

test("what several brokers measured is one history, slot by slot", async () => {
  const [a, b] = [startBroker("A"), startBroker("B")];
  a.measures.queue("q").run.add(10, 98);
  b.measures.queue("q").run.add(1_000, 2);
  completed = 100;
  await pass(5, a, b);
  completed = 150;
  b.measures.queue("q").run.add(20, 50);
  await pass(5, a, b);

  const moments = await a.history.moments();

  expect(moments).toMatchObject([
    { timeMs: T0 + 5_000, total: { completed: 100 }, run: { count: 100, p50Ms: 10, p95Ms: 10 }, wait: { count: 0 } },
    { timeMs: T0 + 10_000, total: { completed: 150 }, run: { count: 50, p50Ms: 20 } },
  ]);
  expect(moments[0]?.run.p99Ms).toBeGreaterThan(960);
});

test("a moment has the totals that any broker saw last", async () => {
  const [a, b] = [startBroker("A"), startBroker("B")];
  completed = 1;
  await a.sampler.put();
  vi.advanceTimersByTime(1_000);
  completed = 2;
  await b.sampler.put();

  expect(await a.history.moments()).toMatchObject([{ timeMs: T0 + 1_000, total: { completed: 2 } }]);
});

test("a slot that is put again is not counted twice, and what came after its last put is in the next", async () => {
  const broker = startBroker("A");
  const add = (times: number) => broker.measures.queue("q").wait.add(1, times);
  add(1);
  await pass(5, broker);
  add(2);
  await vi.advanceTimersByTimeAsync(4_000);
  await broker.sampler.put();
  add(4);
  await vi.advanceTimersByTimeAsync(4_000);
  await broker.sampler.put();

  expect((await broker.history.moments()).map(({ wait }) => wait.count)).toEqual([3, 4]);
});

test("the last minute has this broker's current slot as it is now, and others' as they were put", async () => {
  const [a, b] = [startBroker("A"), startBroker("B")];
  b.measures.queue("q").wait.add(1, 10);
  await pass(5, a, b);
  a.measures.queue("q").wait.add(1, 3);
  b.measures.queue("q").wait.add(1, 100);

  expect((await a.stats.snapshot()).wait.count).toBe(13);
  await pass(40, a, b);
  expect((await a.stats.snapshot()).wait.count).toBe(113);
  await pass(60, a, b);
  expect((await a.stats.snapshot()).wait.count).toBe(0);
});

test("a broker that goes on under a new id puts nothing twice", async () => {
  const broker = startBroker("A");
  broker.measures.queue("q").wait.add(1, 5);
  await broker.sampler.put();
  broker.own.brokerId = "B";
  broker.measures.queue("q").wait.add(1, 2);
  await broker.sampler.put();

  expect((await broker.history.moments()).map(({ wait }) => wait.count)).toEqual([7]);
  expect((await broker.history.lastMinute()).wait.count).toBe(7);
});

test("a sample that cannot be read is left out", async () => {
  const broker = startBroker("A");
  broker.measures.queue("q").wait.add(1);
  await broker.sampler.put();
  const slot = Math.floor(T0 / 10_000);
  for (const [i, bytes] of [Buffer.of(0xc1), Buffer.of(0x01), Buffer.of(0x93, 1, 2, 3)].entries())
    await shared.putSample({ brokerId: `X${i}`, slot, bytes });

  expect(await broker.history.moments()).toHaveLength(1);
});

test("an hour of the samples of one broker is small, even when no two tasks take as long", async () => {
  const broker = startBroker("A");
  completed = 123_456_789;
  for (let ms = 1; ms < 60_000; ms = Math.ceil(ms * 1.05)) {
    broker.measures.queue("q").run.add(ms, 1_000);
    broker.measures.queue("q").wait.add(ms, 1_000);
  }
  await broker.sampler.put();

  const [sample] = await shared.samples();

  expect((sample?.bytes.length ?? 0) * 360).toBeLessThan(600_000);
});
