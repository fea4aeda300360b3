import { callerKey, type Store } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import { keysListed, listAll, textsListed, untilLater } from "../lists.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  bury,
  claim,
  claimAll,
  counters,
  discard,
  FAR_MS,
  type Held,
  keysOf,
  newTask,
  newTasks,
  QUEUE,
  release,
  retry,
  settleAll,
  textsOf,
} from "../tasks.ts";

/** The orders of the lists. */
export function listSuite(test: StoreTest): void {
  describe("list", () => {
    test("of ready tasks is the line, the last in it first", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(200));
      await store.enqueue(QUEUE, [newTask("named", { key: callerKey("order-1") }), ...newTasks(3, "more")]);
      const prioritised = [
        newTask("low", { priority: -2 }),
        newTask("high", { priority: 7 }),
        newTask("higher", { priority: 8 }),
      ];
      await store.enqueue(QUEUE, prioritised);
      await claim(store, { maxTasks: 2 + 77 });

      const listed = await listAll(store, { state: "ready", limit: 20 });

      expect(listed).toHaveLength(128);
      expect(textsListed(listed)).toEqual(textsOf(await claimAll(store, { maxTasks: 30 })).reverse());
      expect(await listAll(store, { state: "ready" })).toEqual([]);
    });

    test("of ready tasks shows what came back at its place in the line", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(60));
      const held = await claim(store, { maxTasks: 30 });
      await settleAll(store, held.slice(5, 15), release());
      await store.enqueue(QUEUE, [newTask("high", { priority: 1 })]);

      const texts = textsListed(await listAll(store, { state: "ready", limit: 7 })).reverse();

      expect(texts[0]).toBe("high");
      expect(texts.slice(1, 11).sort()).toEqual(textsOf(held.slice(5, 15)).sort());
      expect(texts.slice(11)).toEqual(
        newTasks(60)
          .slice(30)
          .map(({ body }) => Buffer.from(body).toString()),
      );
    });

    test("of ready tasks leaves out what is claimed or cancelled of a block", async ({ store }) => {
      const enqueued = await store.enqueue(QUEUE, newTasks(100));
      await claim(store, { maxTasks: 10 });
      for (const i of [10, 50, 51, 99]) await store.cancel(QUEUE, enqueued[i]?.key ?? "", "");

      const listed = await listAll(store, { state: "ready", limit: 9 });

      const expected = keysOf(enqueued).filter((_, i) => i >= 10 && ![10, 50, 51, 99].includes(i));
      expect(keysListed(listed).reverse()).toEqual(expected);
    });

    test("of scheduled tasks has the last to be due first", async ({ store }) => {
      const delays = [3, 1, 2, 5, 4].map((n) => n * FAR_MS);
      await store.enqueue(
        QUEUE,
        delays.map((delayMs) => newTask(`in ${delayMs / FAR_MS}`, { delayMs })),
      );
      const key = callerKey("order-1");
      await store.enqueue(QUEUE, [newTask("retried", { key })]);
      await settleAll(store, await claim(store), retry(6 * FAR_MS));

      const listed = await listAll(store, { state: "scheduled", limit: 2 });

      expect(textsListed(listed)).toEqual(["retried", "in 5", "in 4", "in 3", "in 2", "in 1"]);
      for (const { task, timeMs } of listed) expect(timeMs).toBe(task.runAtMs);
      expect(listed[0]?.task).toMatchObject({ key, attempt: 2 });
    });

    test("of active tasks has the last enqueued first", async ({ store }) => {
      const before = await store.now();
      const order: string[] = [];
      const batches = [
        newTasks(3),
        [newTask("high", { priority: 1 })],
        [newTask("named", { key: callerKey("1") })],
        newTasks(40),
      ];
      for (const batch of batches) {
        order.push(...keysOf(await store.enqueue(QUEUE, batch)));
        await untilLater(store);
      }
      const held = await claimAll(store, { maxTasks: 7 });
      await settleAll(store, held.slice(-4), ack());

      const listed = await listAll(store, { state: "active", limit: 6 });

      expect(listed).toHaveLength(41);
      const times = listed.map(({ timeMs }) => timeMs);
      expect(times).toEqual([...times].sort((a, b) => b - a));
      expect(Math.min(...times)).toBeGreaterThanOrEqual(before);
      const keys = keysListed(listed);
      expect(keys.slice(-5, -3)).toEqual([order[4], order[3]]);
      expect(keys.slice(-3).sort()).toEqual(order.slice(0, 3).sort());
      expect(keys.slice(0, -5).sort()).toEqual(
        keysOf(held)
          .filter((key) => order.indexOf(key) >= 5)
          .slice(0, -4)
          .sort(),
      );
    });

    test.for([
      ["acknowledged", (store, held) => settleAll(store, held, ack())],
      ["tried again", (store, held) => settleAll(store, held, retry(FAR_MS))],
      ["cancelled", (store, held) => Promise.all(keysOf(held).map((key) => store.cancel(QUEUE, key, "")))],
    ] satisfies [string, (store: Store, held: Held[]) => Promise<unknown>][])(
      "of active tasks leaves the store as it is when they are %s meanwhile",
      async ([, end], { store }) => {
        await store.enqueue(QUEUE, [newTask("high", { priority: 1 }), newTask("named", { key: callerKey("1") })]);
        const held = await claimAll(store);

        // The first call lets the others wait for their turn together.
        const calls = [store.enqueue(QUEUE, newTasks(1)), store.list(QUEUE, { state: "active", limit: 10 })] as const;
        const [, page] = await Promise.all([...calls, end(store, held)]);

        for (const { task } of page.tasks) expect(task.state).toBe("active");
        expect(await listAll(store, { state: "active" })).toEqual([]);
        expect(await counters(store)).toMatchObject({ enqueued: 3, ready: 1, active: 0 });
      },
    );

    test.for([
      ["completed", ack("fine")],
      ["dead", bury()],
      ["cancelled", discard()],
    ] as const)("of %s tasks has the last to end first", async ([state, outcome], { store }) => {
      await store.enqueue(QUEUE, [
        ...newTasks(12),
        newTask("high", { priority: 1 }),
        newTask("named", { key: callerKey("1") }),
      ]);
      const held = await claimAll(store);
      const portions = [held.slice(4, 9), held.slice(0, 4), held.slice(9, 10), held.slice(10)];
      for (const portion of portions) {
        await settleAll(store, portion, outcome);
        await untilLater(store);
      }

      const keys = keysListed(await listAll(store, { state, limit: 3 }));

      expect(keys).toHaveLength(14);
      let at = 0;
      for (const portion of portions.reverse()) {
        expect(keys.slice(at, at + portion.length).sort()).toEqual(keysOf(portion).sort());
        at += portion.length;
      }
    });

    test("of cancelled tasks has those that waited, too", async ({ store }) => {
      const enqueued = await store.enqueue(QUEUE, [...newTasks(4), newTask("far", { delayMs: FAR_MS })]);
      const [active] = await claim(store, { maxTasks: 1 });
      const keys = [enqueued[2], enqueued[4], active].map((task) => task?.key ?? "");
      for (const key of keys) {
        await store.cancel(QUEUE, key, "ordered twice");
        await untilLater(store);
      }

      expect(keysListed(await listAll(store, { state: "cancelled", limit: 1 }))).toEqual(keys.reverse());
    });
  });
}
