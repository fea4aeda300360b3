import { callerKey, type Store } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import type { StoreTest } from "../store-test.ts";
import { ack, bury, claim, claimAll, FAR_MS, keysOf, newTask, newTasks, QUEUE, release, settleAll } from "../tasks.ts";

export function positionSuite(test: StoreTest): void {
  describe("position", () => {
    test("is how many are ahead in the line", async ({ store }) => {
      const enqueued = await store.enqueue(QUEUE, [...newTasks(150), newTask("low", { priority: -1 })]);
      const at = (i: number) => store.position(QUEUE, enqueued[i]?.key ?? "");
      expect(await Promise.all([0, 1, 127, 128, 149, 150].map(at))).toEqual([0, 1, 127, 128, 149, 150]);

      const held = await claim(store, { maxTasks: 100 });
      expect(await Promise.all([99, 100, 149, 150].map(at))).toEqual([undefined, 0, 49, 50]);

      await store.cancel(QUEUE, enqueued[120]?.key ?? "", "");
      await store.enqueue(QUEUE, [newTask("high", { priority: 1 })]);
      expect(await Promise.all([100, 119, 120, 121, 149, 150].map(at))).toEqual([1, 20, undefined, 21, 49, 50]);

      await settleAll(store, held.slice(10, 14), release());
      expect(await Promise.all([100, 149, 150].map(at))).toEqual([5, 53, 54]);
      expect((await Promise.all([10, 11, 12, 13].map(at))).sort()).toEqual([1, 2, 3, 4]);
    });

    test("does not count what was cancelled, whatever its priority", async ({ store }) => {
      const priorities = [2, 1, 0, -1, -2];
      const tasks = priorities.flatMap((priority) => [newTask("stays", { priority }), newTask("goes", { priority })]);
      const enqueued = await store.enqueue(QUEUE, tasks);
      for (const [i, { key }] of enqueued.entries()) if (i % 2 === 1) await store.cancel(QUEUE, key, "");

      const stayed = enqueued.filter((_, i) => i % 2 === 0);
      expect(await Promise.all(stayed.map(({ key }) => store.position(QUEUE, key)))).toEqual([0, 1, 2, 3, 4]);
    });

    test("is not told of what is not ready", async ({ store }) => {
      const [far] = await store.enqueue(QUEUE, [newTask("far", { delayMs: FAR_MS })]);
      await store.enqueue(QUEUE, newTasks(3));
      const [active, completed, dead] = await claimAll(store);
      if (completed) await settleAll(store, [completed], ack());
      if (dead) await settleAll(store, [dead], bury());

      for (const task of [far, active, completed, dead]) {
        expect(await store.position(QUEUE, task?.key ?? "")).toBeUndefined();
      }
      expect(await store.position(QUEUE, callerKey("unheard-of"))).toBeUndefined();
      expect(await store.position("unheard-of", far?.key ?? "")).toBeUndefined();
    });

    test("is told behind ten thousand tasks that came in bulk", async ({ store }) => {
      const last = await enqueueMany(store, 10);

      expect(await store.position(QUEUE, last)).toBe(9_999);
    });
  });
}

/** Enqueues so many thousand tasks, and gives the key of the last. */
async function enqueueMany(store: Store, thousands: number): Promise<string> {
  let last = "";
  for (let i = 0; i < thousands; i++) last = keysOf(await store.enqueue(QUEUE, newTasks(1_000))).at(-1) ?? "";
  return last;
}
