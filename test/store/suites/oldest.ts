import type { Store } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import { untilLater } from "../lists.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  claim,
  claimAll,
  FAR_MS,
  keysOf,
  killAll,
  newTask,
  newTasks,
  QUEUE,
  release,
  settleAll,
} from "../tasks.ts";

/** Since when the longest-waiting task has been ready. */
export function oldestSuite(test: StoreTest): void {
  describe("oldestReadyAtMs", () => {
    test("is when the head of the line became ready, and moves with it", async ({ store }) => {
      expect(await oldest(store), "of a queue that does not exist").toBeUndefined();
      const start = await store.now();
      const [first] = await store.enqueue(QUEUE, newTasks(3));
      const between = await untilLater(store);
      await store.enqueue(QUEUE, newTasks(3));
      const end = await store.now();

      expect(await oldest(store)).toBeGreaterThanOrEqual(start);
      expect(await oldest(store)).toBeLessThan(between);

      await store.cancel(QUEUE, first?.key ?? "", "");
      const held = await claim(store, { maxTasks: 1 });
      expect(await oldest(store), "the last of the block still waits").toBeLessThan(between);

      held.push(...(await claim(store, { maxTasks: 1 })));
      expect(await oldest(store)).toBeGreaterThanOrEqual(between);
      expect(await oldest(store)).toBeLessThanOrEqual(end);

      held.push(...(await claimAll(store)));
      expect(await oldest(store), "nothing is ready").toBeUndefined();
      await settleAll(store, held, ack());
      expect(await oldest(store)).toBeUndefined();
    });

    test("looks at every line, whatever its priority", async ({ store }) => {
      await store.enqueue(QUEUE, [newTask("low", { priority: -1 })]);
      const between = await untilLater(store);
      await store.enqueue(QUEUE, [newTask("plain"), newTask("high", { priority: 1 })]);

      expect(await oldest(store)).toBeLessThan(between);

      await claim(store, { maxTasks: 2 });
      expect(await oldest(store), "the low one is still there").toBeLessThan(between);
    });

    test("does not count what is not ready", async ({ store }) => {
      const [dead] = await killAll(store, newTasks(1));
      await store.enqueue(QUEUE, [newTask("far", { delayMs: FAR_MS })]);
      expect(await oldest(store)).toBeUndefined();

      const before = await untilLater(store);
      await store.revive(QUEUE, [dead?.key ?? ""]);

      expect(await oldest(store), "a revived task waits since it was revived").toBeGreaterThanOrEqual(before);
    });

    test("is known of what came back, too", async ({ store }) => {
      const start = await store.now();
      await store.enqueue(QUEUE, newTasks(4));
      const held = await claimAll(store);
      await settleAll(store, held.slice(1), release());

      expect(await oldest(store)).toBeGreaterThanOrEqual(start);
      expect(await oldest(store)).toBeLessThanOrEqual(await store.now());

      const again = await claimAll(store);
      expect(keysOf(again)).toHaveLength(3);
      expect(await oldest(store)).toBeUndefined();
    });

    test("is since a scheduled task was due", async ({ store }) => {
      const [created] = await store.enqueue(QUEUE, [newTask("soon", { delayMs: 1 })]);
      await untilLater(store);
      await untilLater(store);
      await store.promote(QUEUE, 10);

      expect(await oldest(store)).toBeGreaterThanOrEqual(created?.runAtMs ?? Number.POSITIVE_INFINITY);
      expect(await oldest(store)).toBeLessThanOrEqual(await store.now());
    });

    test("is told of a paused queue", async ({ store }) => {
      await store.steer(QUEUE, { paused: true });
      await store.enqueue(QUEUE, newTasks(1));

      expect(await oldest(store)).toBeGreaterThan(0);
    });

    test("is the same when the store is opened again", async ({ opened }) => {
      await opened.store.enqueue(QUEUE, newTasks(3));
      const before = await oldest(opened.store);

      const { store } = await opened.reopen();

      expect(await oldest(store)).toBe(before);
    });
  });
}

async function oldest(store: Store): Promise<number | undefined> {
  const [stats] = await store.stats([QUEUE]);
  return stats?.oldestReadyAtMs;
}
