import { callerKey } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import { until } from "../../support/until.ts";
import type { Backend } from "../backend.ts";
import { untilLater } from "../lists.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  claim,
  claimAll,
  claimOne,
  counters,
  errorCode,
  type Held,
  killAll,
  newTask,
  newTasks,
  policy,
  QUEUE,
  release,
  settle,
  settleAll,
  textsOf,
} from "../tasks.ts";

const NO_LIMIT = { paused: false, enqueueRate: undefined };
const RATE = { perSecond: 1_000, burst: 10_000 };

export function steerSuite(test: StoreTest, backend: Backend): void {
  describe("steer", () => {
    test("changes what is given, keeps what is not, and tells the whole", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(1));
      expect(await policy(store)).toEqual(NO_LIMIT);

      expect(await store.steer(QUEUE, { paused: true })).toEqual({ paused: true, enqueueRate: undefined });
      expect(await store.steer(QUEUE, { enqueueRate: RATE })).toEqual({ paused: true, enqueueRate: RATE });
      expect(await store.steer(QUEUE, {})).toEqual({ paused: true, enqueueRate: RATE });
      expect(await policy(store)).toEqual({ paused: true, enqueueRate: RATE });
      expect(await store.steer(QUEUE, { paused: false })).toEqual({ paused: false, enqueueRate: RATE });
      expect(await store.steer(QUEUE, { enqueueRate: undefined })).toEqual(NO_LIMIT);
      expect(await policy(store)).toEqual(NO_LIMIT);
    });

    test("makes a queue that did not exist, and refuses one too many", async ({ open }) => {
      const { store } = await open({ maxQueues: 2 });

      await store.steer("one", { paused: true });
      await store.steer("two", { enqueueRate: RATE });
      expect(await errorCode(store.steer("three", { paused: true }))).toBe("TOO_MANY_QUEUES");

      expect(await store.queues()).toEqual(["one", "two"]);
      expect(await policy(store, "one")).toEqual({ paused: true, enqueueRate: undefined });
      expect(await policy(store, "two")).toEqual({ paused: false, enqueueRate: RATE });
      await store.enqueue("one", newTasks(2));
      expect(await claim(store, { queue: "one" })).toEqual([]);
      expect(await counters(store, "one")).toMatchObject({ ready: 2 });
    });

    test("keeps rates of any size, exactly", async ({ store }) => {
      for (const perSecond of [0.001, 1 / 3, 12.5, 1_000_000]) {
        const enqueueRate = { perSecond, burst: 1_000_000 };
        await store.steer(QUEUE, { enqueueRate });
        expect((await policy(store)).enqueueRate).toEqual(enqueueRate);
      }
    });

    test("is kept when the store is opened again", async ({ opened }) => {
      await opened.store.enqueue(QUEUE, newTasks(3));
      await opened.store.steer(QUEUE, { paused: true, enqueueRate: RATE });
      await opened.store.steer("steered-only", { paused: true });

      const { store } = await opened.reopen();

      expect(await policy(store)).toEqual({ paused: true, enqueueRate: RATE });
      expect(await policy(store, "steered-only")).toEqual({ paused: true, enqueueRate: undefined });
      expect(await store.queues()).toEqual([QUEUE, "steered-only"]);
      expect(await claim(store)).toEqual([]);
      await store.steer(QUEUE, { paused: false });
      expect(await claimAll(store)).toHaveLength(3);
    });
  });

  describe("a paused queue", () => {
    test("takes tasks, hands none out, and goes on where it stood", async ({ store }) => {
      await store.enqueue(QUEUE, [newTask("plain"), newTask("named", { key: callerKey("order-1") })]);
      await store.steer(QUEUE, { paused: true });
      await store.enqueue(QUEUE, [newTask("later"), newTask("urgent", { priority: 1 })]);

      expect(await claim(store)).toEqual([]);
      expect(await counters(store)).toMatchObject({ enqueued: 4, ready: 4, active: 0, dequeued: 0 });

      await store.steer(QUEUE, { paused: false });
      expect(textsOf(await claimAll(store))).toEqual(["urgent", "plain", "named", "later"]);
    });

    test("lets what is held be settled, and keeps what comes back", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(6));
      const held = await claim(store, { maxTasks: 4 });
      await store.steer(QUEUE, { paused: true });

      expect(new Set(await settleAll(store, held.slice(0, 2), ack()))).toEqual(new Set(["settled"]));
      expect(new Set(await settleAll(store, held.slice(2), release()))).toEqual(new Set(["settled"]));

      expect(await claim(store)).toEqual([]);
      expect(await counters(store)).toMatchObject({ completed: 2, ready: 4, active: 0 });
    });

    test("promotes what is due, and hands none of it out", async ({ store }) => {
      await store.enqueue(QUEUE, [newTask("soon", { delayMs: 1 })]);
      await store.steer(QUEUE, { paused: true });
      await untilLater(store);
      await untilLater(store);

      expect(await claim(store)).toEqual([]);
      await store.promote(QUEUE, 10);

      expect(await claim(store)).toEqual([]);
      expect(await counters(store)).toMatchObject({ ready: 1, scheduled: 0 });
      await store.steer(QUEUE, { paused: false });
      expect(textsOf([await claimOne(store)])).toEqual(["soon"]);
    });

    test("lets tasks be revived and cancelled, and hands none out", async ({ store }) => {
      const [dead] = await killAll(store, newTasks(1, "dead"));
      const [ready] = await store.enqueue(QUEUE, newTasks(2));
      await store.steer(QUEUE, { paused: true });

      expect(await store.revive(QUEUE, [dead?.key ?? ""])).toEqual(["done"]);
      expect(await store.cancel(QUEUE, ready?.key ?? "", "")).toMatchObject({ kind: "cancelled" });

      expect(await claim(store)).toEqual([]);
      await store.steer(QUEUE, { paused: false });
      expect(textsOf(await claimAll(store))).toEqual(["task 1", "dead 0"]);
    });

    test("does not hold up others", async ({ store }) => {
      await store.steer(QUEUE, { paused: true });
      await store.enqueue("other", newTasks(1));

      expect(await claim(store, { queue: "other" })).toHaveLength(1);
    });

    test("hands out what was claimed before it in the same tick, and nothing after it", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(10));

      const before = claim(store, { maxTasks: 2 });
      const steered = store.steer(QUEUE, { paused: true });
      const after = claim(store, { maxTasks: 2 });

      expect(textsOf(await before)).toEqual(["task 0", "task 1"]);
      expect((await steered).paused).toBe(true);
      expect(await after).toEqual([]);
    });

    test("tells that it is ready when its pause ends", async ({ opened }) => {
      await opened.store.enqueue(QUEUE, newTasks(1));
      await opened.store.steer(QUEUE, { paused: true });
      opened.events.readyQueues.length = 0;

      await opened.store.steer(QUEUE, { paused: false });

      await until("it is told", () => opened.events.readyQueues.includes(QUEUE));
    });
  });

  test("nothing is claimed after a pause, however many claims race with it", async ({ opened }) => {
    const { store } = opened;
    const { store: other } = backend.capabilities.shared ? await opened.second() : opened;
    await store.enqueue(QUEUE, newTasks(900));
    const claims: Promise<Held[]>[] = [];
    const claimSome = () => claims.push(claim(store, { maxTasks: 3 }), claim(other, { maxTasks: 3 }));

    for (let i = 0; i < 10; i++) claimSome();
    await Promise.all(claims.slice(0, 4));
    const steered = other.steer(QUEUE, { paused: true });
    for (let i = 0; i < 10; i++) claimSome();
    await steered;
    const { dequeued } = await counters(store);
    for (let i = 0; i < 10; i++) claimSome();
    const held = (await Promise.all(claims)).flat();

    expect(held, "what was handed out before the pause, and nothing more").toHaveLength(dequeued);
    expect(dequeued).toBeGreaterThan(0);
    expect(await counters(store)).toMatchObject({ dequeued, active: dequeued, ready: 900 - dequeued });
    for (const late of await Promise.all(claims.slice(-20))) expect(late).toEqual([]);
  });

  if (!backend.capabilities.shared) return;
  test("a pause and its end hold for all brokers", async ({ opened }) => {
    const { store: other, events } = await opened.second();
    await other.enqueue(QUEUE, newTasks(2));

    await opened.store.steer(QUEUE, { paused: true });

    expect(await claim(other)).toEqual([]);
    expect((await policy(other)).paused).toBe(true);
    events.readyQueues.length = 0;
    await opened.store.steer(QUEUE, { paused: false });
    await until("the other hears that the queue is ready", () => events.readyQueues.includes(QUEUE));
    expect(await settle(other, await claimOne(other), ack())).toBe("settled");
  });
}
