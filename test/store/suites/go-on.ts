import { describe, expect } from "vitest";
import { until } from "../../support/until.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  bury,
  claim,
  claimAll,
  claimOne,
  counters,
  discard,
  FAR_MS,
  failure,
  leaseOne,
  lose,
  newTask,
  newTasks,
  QUEUE,
  release,
  retry,
  settle,
  settleAll,
  snooze,
  textsOf,
} from "../tasks.ts";

const FORMS = [
  ["plain", newTask("the task")],
  ["alone", newTask("the task", { priority: 1 })],
] as const;

/** How a task goes on that did not end with an ack. */
export function goOnSuite(test: StoreTest): void {
  describe.for(FORMS)("a lost delivery of a task that is %s", ([, task]) => {
    test("counts, and spends no attempt", async ({ store }) => {
      let held = await leaseOne(store, task);

      for (let lost = 1; lost <= 3; lost++) {
        expect(await settle(store, held, lose(1))).toBe("settled");
        expect(await store.find(QUEUE, held.key)).toMatchObject({ state: "ready", attempt: 1, lostCount: lost });
        held = await claimOne(store);
        expect(held.grant).toMatchObject({ attempt: 1, lostCount: lost });
        expect(await store.findLeased(held.lease, held.index)).toMatchObject({ attempt: 1, lostCount: lost });
      }

      expect(await counters(store)).toMatchObject({ lost: 3, dequeued: 4, failed: 0, active: 1 });
    });

    test("does not count when the broker was at fault", async ({ store }) => {
      const held = await leaseOne(store, task);

      await settle(store, held, lose(0));

      expect((await claimOne(store)).grant).toMatchObject({ attempt: 1, lostCount: 0 });
      expect(await counters(store)).toMatchObject({ lost: 0, dequeued: 2 });
    });

    test.for([0, 1] as const)(
      "(count %i) is still acknowledged until the task is claimed again",
      async (count, { store }) => {
        const held = await leaseOne(store, task);
        await settle(store, held, lose(count));

        expect(await settle(store, held, ack("late"))).toBe("settled");

        const found = await store.find(QUEUE, held.key);
        expect(found?.state).toBe("completed");
        expect(found?.lastResult?.result?.toString()).toBe("late");
        expect(await claim(store)).toEqual([]);
        expect(await counters(store)).toMatchObject({ completed: 1, ready: 0, active: 0, lost: count });
        expect(await settle(store, held, ack("late"))).toBe("settled");
      },
    );

    test("can be settled by nothing but an ack", async ({ store }) => {
      const held = await leaseOne(store, task);
      await settle(store, held, lose(1));

      for (const outcome of [retry(), bury(), discard(), release(), snooze()]) {
        expect(await settle(store, held, outcome), outcome.kind).toBe("stale");
      }

      expect(await store.find(QUEUE, held.key)).toMatchObject({ state: "ready", attempt: 1, lostCount: 1 });
    });

    test("that was released cannot be acknowledged any more", async ({ store }) => {
      const held = await leaseOne(store, task);
      await settle(store, held, release());

      expect(await settle(store, held, ack())).toBe("stale");
      expect((await store.find(QUEUE, held.key))?.state).toBe("ready");
    });
  });

  describe("lost tasks of one block", () => {
    test("are acknowledged late while their neighbours are claimed again", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(64));
      const held = await claimAll(store);
      await settleAll(store, held, lose(0));
      const late = held.filter((_, i) => i % 2 === 0);

      expect(new Set(await settleAll(store, late, ack()))).toEqual(new Set(["settled"]));

      const again = await claimAll(store);
      expect(again.map(({ key }) => key).sort()).toEqual(
        held
          .filter((_, i) => i % 2 === 1)
          .map(({ key }) => key)
          .sort(),
      );
      expect(new Set(await settleAll(store, held, ack()))).toEqual(new Set(["settled", "stale"]));
      expect(new Set(await settleAll(store, again, ack()))).toEqual(new Set(["settled"]));
      expect(await counters(store)).toMatchObject({ completed: 64, ready: 0, active: 0 });
    });
  });

  describe.for(FORMS)("a retry of a task that is %s", ([, task]) => {
    test("comes with the next attempt number and keeps the failure", async ({ store }) => {
      const first = await leaseOne(store, task);

      expect(await settle(store, first, { kind: "retry", delayMs: 0, failure: failure("first try") })).toBe("settled");
      const second = await claimOne(store);

      expect(second.key).toBe(first.key);
      expect(second.body.toString()).toBe("the task");
      expect(second.lease.attempt).toBe(2);
      const found = await store.find(QUEUE, second.key);
      expect(found).toMatchObject({
        state: "active",
        attempt: 2,
        lastResult: { success: false, failure: failure("first try") },
      });
      expect(await counters(store)).toMatchObject({ failed: 1, retried: 1, dequeued: 2, active: 1, scheduled: 0 });

      expect(await settle(store, second, retry())).toBe("settled");
      expect((await claimOne(store)).lease.attempt).toBe(3);
    });

    test("keeps the lost count", async ({ store }) => {
      await settle(store, await leaseOne(store, task), lose(1));
      await settle(store, await claimOne(store), retry());

      expect((await claimOne(store)).grant).toMatchObject({ attempt: 2, lostCount: 1 });
    });

    test("waits for its delay", async ({ store }) => {
      const held = await leaseOne(store, task);
      const before = await store.now();
      await settle(store, held, retry(120));

      const found = await store.find(QUEUE, held.key);
      expect(found).toMatchObject({ state: "scheduled", attempt: 2 });
      expect(found?.runAtMs).toBeGreaterThanOrEqual(before + 120);
      await claimOne(store);
      expect(await store.now()).toBeGreaterThanOrEqual(before + 120);
    });
  });

  describe.for(FORMS)("a snooze of a task that is %s", ([, task]) => {
    test("keeps the attempt number and counts no failure", async ({ store }) => {
      const held = await leaseOne(store, task);
      const before = await store.now();

      expect(await settle(store, held, snooze(80))).toBe("settled");

      expect(await store.find(QUEUE, held.key)).toMatchObject({ state: "scheduled", attempt: 1, lostCount: 0 });
      const again = await claimOne(store);
      expect(await store.now()).toBeGreaterThanOrEqual(before + 80);
      expect(again.lease.attempt).toBe(1);
      expect(await counters(store)).toMatchObject({ failed: 0, retried: 0, lost: 0 });
    });
  });

  describe("a scheduled task", () => {
    test("is never claimed early, and soon after it is due", async ({ store }) => {
      const delays = [150, 30, 90, 60, 120];
      const enqueued = await store.enqueue(
        QUEUE,
        delays.map((delayMs) => newTask(`after ${delayMs}`, { delayMs })),
      );
      const dueAt = new Map(enqueued.map(({ key, runAtMs }) => [key, runAtMs]));

      const order: string[] = [];
      for (let i = 0; i < delays.length; i++) {
        const held = await claimOne(store);
        expect(await store.now()).toBeGreaterThanOrEqual(dueAt.get(held.key) ?? Number.POSITIVE_INFINITY);
        order.push(held.body.toString());
      }

      expect(order).toEqual(["after 30", "after 60", "after 90", "after 120", "after 150"]);
    });

    test("is claimed in the order of due times, when many are due", async ({ store }) => {
      const delays = [50, 10, 40, 20, 30];
      const enqueued = await store.enqueue(
        QUEUE,
        delays.map((delayMs) => newTask(`after ${delayMs}`, { delayMs })),
      );
      const last = Math.max(...enqueued.map(({ runAtMs }) => runAtMs));
      await until("all are due", async () => (await store.now()) >= last);

      expect(textsOf(await claimAll(store))).toEqual(["after 10", "after 20", "after 30", "after 40", "after 50"]);
    });

    test("keeps its priority", async ({ store }) => {
      await store.enqueue(QUEUE, [newTask("delayed", { delayMs: 20, priority: 3 }), newTask("plain")]);
      await until("the delayed task is promoted", async () => (await store.promote(QUEUE, 10)).promoted === 1);

      expect(await claimAll(store)).toMatchObject([{ body: Buffer.from("delayed") }, { body: Buffer.from("plain") }]);
    });

    test("is promoted without a claim, no more than asked for, and the next time is told", async ({ opened }) => {
      const { store, events } = opened;
      await store.enqueue(QUEUE, [newTask("far", { delayMs: FAR_MS })]);
      expect(await store.promote(QUEUE, 10)).toMatchObject({ promoted: 0 });
      const soon = Array.from({ length: 5 }, (_, i) => newTask(`soon ${i}`, { delayMs: 50 }));
      const [{ runAtMs } = { runAtMs: 0 }] = (await store.enqueue(QUEUE, soon)).slice(-1);
      await until("they are due", async () => (await store.now()) >= runAtMs);

      expect(await store.promote(QUEUE, 3)).toEqual({ promoted: 3, nextInMs: 0 });
      const { promoted, nextInMs } = await store.promote(QUEUE, 3);

      expect(promoted).toBe(2);
      expect(nextInMs).toBeGreaterThan(FAR_MS - 10_000);
      expect(nextInMs).toBeLessThanOrEqual(FAR_MS);
      expect(await counters(store)).toMatchObject({ ready: 5, scheduled: 1 });
      await until("it is told that the queue is ready", () => events.readyQueues.includes(QUEUE));
    });

    test("leaves nothing to promote when it was the last", async ({ store }) => {
      expect(await store.promote("unheard-of", 10)).toEqual({ promoted: 0, nextInMs: undefined });
      await settle(store, await leaseOne(store, newTask("soon", { delayMs: 10 })), ack());

      expect(await store.promote(QUEUE, 10)).toEqual({ promoted: 0, nextInMs: undefined });
    });

    test("is told of, also when it is a retry or a snooze", async ({ opened }) => {
      const { store, events } = opened;
      await store.enqueue(QUEUE, newTasks(2));
      const [one, two] = await claimAll(store);

      if (one) await settle(store, one, retry(FAR_MS));
      if (two) await settle(store, two, snooze(2 * FAR_MS));

      expect(events.scheduledIn).toEqual([
        { queue: QUEUE, inMs: FAR_MS },
        { queue: QUEUE, inMs: 2 * FAR_MS },
      ]);
    });

    test("runs its whole life: retried, snoozed, lost, released and completed", async ({ store }) => {
      let held = await leaseOne(store, newTask("eventful", { delayMs: 5 }));
      for (const outcome of [retry(5), snooze(5), lose(1), release(), retry(0), lose(0)]) {
        expect(await settle(store, held, outcome), outcome.kind).toBe("settled");
        held = await claimOne(store);
        expect(held.body.toString()).toBe("eventful");
      }

      expect(held.grant).toMatchObject({ attempt: 3, lostCount: 1 });
      expect(await settle(store, held, ack("done"))).toBe("settled");
      expect(await store.find(QUEUE, held.key)).toMatchObject({ state: "completed", attempt: 3, lostCount: 1 });
      const counted = { enqueued: 1, dequeued: 7, completed: 1, failed: 2, retried: 2, lost: 1 };
      expect(await counters(store)).toMatchObject({ ...counted, scheduled: 0, ready: 0, active: 0, dead: 0 });
    });
  });
}
