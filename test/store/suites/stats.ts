import { callerKey, type QueueCounters, queueTag, type Store } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import type { Backend } from "../backend.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  bury,
  claimAll,
  claimOne,
  counters,
  discard,
  FAR_MS,
  lose,
  newTask,
  newTasks,
  QUEUE,
  release,
  retry,
  settle,
  settleAll,
  snooze,
} from "../tasks.ts";

const NOTHING: QueueCounters = {
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

export function statsSuite(test: StoreTest, backend: Backend): void {
  describe("stats", () => {
    test("tell of one moment while calls are under way", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(4));
      const held = await claimAll(store);

      const [, during] = await Promise.all([
        store.enqueue(QUEUE, newTasks(2)),
        counters(store),
        settleAll(store, held, ack()),
        store.enqueue(QUEUE, newTasks(3)),
      ]);

      expect(during).toEqual({ ...NOTHING, enqueued: 6, dequeued: 4, ready: 2, active: 4 });
    });

    test("follow every move", async ({ store }) => {
      let expected = { ...NOTHING, enqueued: 8, ready: 7, scheduled: 1 };
      await store.enqueue(QUEUE, [...newTasks(7), newTask("far", { delayMs: FAR_MS })]);
      expect(await counters(store)).toEqual(expected);

      const held = await claimAll(store);
      expected = { ...expected, dequeued: 7, ready: 0, active: 7 };
      expect(await counters(store)).toEqual(expected);

      const moves = [ack(), retry(FAR_MS), bury(), discard(), release(), snooze(FAR_MS), lose(1)];
      const changes: Partial<QueueCounters>[] = [
        { completed: 1, active: 6 },
        { failed: 1, retried: 1, active: 5, scheduled: 2 },
        { failed: 2, active: 4, buried: 1, dead: 1 },
        { failed: 3, active: 3, cancelled: 1 },
        { active: 2, ready: 1 },
        { active: 1, scheduled: 3 },
        { active: 0, ready: 2, lost: 1 },
      ];
      for (const [i, outcome] of moves.entries()) {
        const one = held[i];
        if (one) expect(await settle(store, one, outcome)).toBe("settled");
        expected = { ...expected, ...changes[i] };
        expect(await counters(store), outcome.kind).toEqual(expected);
      }
    });

    test("agree with a recount, with blocks in pieces", async ({ store }) => {
      const named = newTask("named", { key: callerKey("named") });
      const enqueued = await store.enqueue(QUEUE, [...newTasks(300), newTask("urgent", { priority: 1 }), named]);
      const outcomes = [ack(), retry(FAR_MS), bury(), discard(), release(), snooze(FAR_MS), lose(1), lose(0)];
      for (let round = 0; round < 3; round++) {
        const held = await claimAll(store, { maxTasks: 45 });
        const settled = held.filter((_, i) => i % 9 < 8);
        await store.settle(
          QUEUE,
          settled.map(({ lease, index }, i) => ({
            lease,
            index,
            outcome: outcomes[(i + round) % outcomes.length] ?? ack(),
          })),
        );
        const { scheduled, ready, active, dead } = await counters(store);
        const keys = enqueued.map(({ key }) => key);
        expect({ scheduled, ready, active, dead }).toEqual(await recount(store, keys));
      }
    });

    test("count the tasks of each type", async ({ store }) => {
      const typed = (type: string, count: number) => newTasks(count).map((task) => ({ ...task, type }));
      await store.enqueue(QUEUE, [...typed("email", 3), ...typed("sms", 2), ...typed("email", 1)]);
      await store.enqueue(QUEUE, [{ ...newTask("urgent"), type: "a.b.C/Do", priority: 1 }]);

      const [stats] = await store.stats([QUEUE]);

      expect(stats?.queue).toBe(QUEUE);
      expect(Object.fromEntries(stats?.enqueuedByType ?? [])).toEqual({ email: 4, sms: 2, "a.b.C/Do": 1 });
    });

    test("keep queues apart, in the order asked for", async ({ store }) => {
      await store.enqueue("one", newTasks(1));
      await store.enqueue("two", newTasks(2));
      await settleAll(store, await claimAll(store, { queue: "two" }), ack());

      const stats = await store.stats(["two", "one"]);

      expect(stats.map(({ queue }) => queue)).toEqual(["two", "one"]);
      expect(stats[0]?.counters).toEqual({ ...NOTHING, enqueued: 2, dequeued: 2, completed: 2 });
      expect(stats[1]?.counters).toEqual({ ...NOTHING, enqueued: 1, ready: 1 });
      expect(await store.stats([])).toEqual([]);
    });
  });

  describe("queues", () => {
    test("are listed by name from their first task on, and found by their tags", async ({ store }) => {
      expect(await store.queues()).toEqual([]);

      await store.enqueue("two", newTasks(1));
      await store.enqueue("one", newTasks(1));
      await store.enqueue("three", [newTask("later", { delayMs: FAR_MS })]);

      expect(await store.queues()).toEqual(["one", "three", "two"]);
      expect(await store.queueByTag(queueTag("two"))).toBe("two");
      expect(await store.queueByTag(queueTag("four"))).toBeUndefined();
      expect(await store.queueByTag("")).toBeUndefined();
    });

    test("remain when they are empty", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(1));
      await settle(store, await claimOne(store), ack());

      expect(await store.queues()).toEqual([QUEUE]);
    });
  });

  if (!backend.capabilities.shared) return;
  test("stats count what all brokers did", async ({ opened }) => {
    const { store: other } = await opened.second();
    await opened.store.enqueue(QUEUE, newTasks(4));
    await other.enqueue(QUEUE, newTasks(3));

    await settle(other, await claimOne(other), ack());

    for (const store of [opened.store, other]) {
      expect(await counters(store)).toEqual({ ...NOTHING, enqueued: 7, dequeued: 1, completed: 1, ready: 6 });
    }
  });
}

async function recount(store: Store, keys: readonly string[]) {
  const counts = { scheduled: 0, ready: 0, active: 0, dead: 0 };
  for (const key of keys) {
    const state = (await store.find(QUEUE, key))?.state;
    if (state && state !== "completed" && state !== "cancelled") counts[state]++;
  }
  return counts;
}
