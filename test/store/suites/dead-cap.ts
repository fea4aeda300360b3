import { callerKey } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import { until } from "../../support/until.ts";
import { keysListed, listAll, untilLater } from "../lists.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  bury,
  claim,
  claimAll,
  claimOne,
  counters,
  keysOf,
  killAll,
  newTask,
  newTasks,
  QUEUE,
  settle,
  settleAll,
} from "../tasks.ts";

/** How many dead tasks are kept, and for how long. */
export function deadCapSuite(test: StoreTest): void {
  describe("more dead tasks than are kept", () => {
    test("make the oldest go, at once", async ({ open }) => {
      const { store } = await open({ maxDeadPerQueue: 10 });
      const first = await killAll(store, newTasks(6, "first"), bury("first error"));
      await untilLater(store);
      const second = await killAll(store, [newTask("urgent", { priority: 1 }), ...newTasks(4)], bury("second error"));
      expect(await counters(store)).toMatchObject({ dead: 10, buried: 11, dropped: 1 });
      await untilLater(store);

      const third = await killAll(store, newTasks(5), bury("third error"));

      expect(await counters(store)).toMatchObject({ dead: 10, buried: 16, dropped: 6, deleted: 0, failed: 16 });
      for (const { key } of first) expect(await store.find(QUEUE, key)).toBeUndefined();
      const kept = keysListed(await listAll(store, { state: "dead" }));
      expect(kept.sort()).toEqual(keysOf([...second, ...third]).sort());
      const groups = await store.failureGroups(QUEUE);
      expect(groups.map(({ message, count }) => `${count} ${message}`).sort()).toEqual([
        "5 second error",
        "5 third error",
      ]);
    });

    test("in one call make room among themselves", async ({ open }) => {
      const { store } = await open({ maxDeadPerQueue: 10 });

      const dead = await killAll(store, newTasks(300));

      expect(await counters(store)).toMatchObject({ dead: 10, buried: 300, dropped: 290 });
      const found = await Promise.all(dead.map(({ key }) => store.find(QUEUE, key)));
      expect(found.filter((task) => task !== undefined)).toHaveLength(10);
      expect(await store.failureGroups(QUEUE)).toMatchObject([{ count: 10 }]);
    });

    test("leave those of other queues", async ({ open }) => {
      const { store } = await open({ maxDeadPerQueue: 2 });
      for (const queue of ["one", "two"]) {
        await store.enqueue(queue, newTasks(2));
        await settleAll(store, await claimAll(store, { queue }), bury());
      }

      for (const queue of ["one", "two"]) expect(await counters(store, queue)).toMatchObject({ dead: 2, dropped: 0 });
    });

    test("free a caller's key", async ({ open }) => {
      const { store } = await open({ maxDeadPerQueue: 1 });
      const key = callerKey("order-1");
      await killAll(store, [newTask("first", { key })]);
      await untilLater(store);
      await killAll(store, newTasks(1));

      expect(await store.enqueue(QUEUE, [newTask("second", { key })])).toMatchObject([
        { kind: "created", state: "ready" },
      ]);
      expect(await store.find(QUEUE, key)).toMatchObject({ state: "ready", attempts: [] });
    });

    test("do not count those that were revived", async ({ open }) => {
      const { store } = await open({ maxDeadPerQueue: 3 });
      const first = await killAll(store, newTasks(3));
      await store.revive(QUEUE, keysOf(first.slice(0, 2)));
      await untilLater(store);
      const revived = await claim(store);
      await killAll(store, newTasks(2));
      expect(await counters(store)).toMatchObject({ dead: 3, dropped: 0 });
      await untilLater(store);

      expect(new Set(await settleAll(store, revived, bury()))).toEqual(new Set(["settled"]));

      expect(await counters(store)).toMatchObject({ dead: 3, dropped: 2, buried: 7 });
      for (const { key } of revived) expect((await store.find(QUEUE, key))?.state).toBe("dead");
      expect(await store.find(QUEUE, first[2]?.key ?? "")).toBeUndefined();
    });

    test("when none is kept end all the same", async ({ open }) => {
      const { store } = await open({ maxDeadPerQueue: 0 });
      await store.enqueue(QUEUE, newTasks(1));
      const held = await claimOne(store);
      const waiting = store.untilEnded(QUEUE, held.key, new AbortController().signal);

      expect(await settle(store, held, bury())).toBe("settled");

      expect([undefined, "dead"]).toContain((await waiting)?.state);
      expect(await store.find(QUEUE, held.key)).toBeUndefined();
      expect(await counters(store)).toMatchObject({ dead: 0, buried: 1, dropped: 1, failed: 1 });
      expect(await store.failureGroups(QUEUE)).toEqual([]);
    });

    test("are as many when the store is opened again", async ({ open }) => {
      const opened = await open({ maxDeadPerQueue: 4 });
      await killAll(opened.store, newTasks(9));
      const before = await counters(opened.store);

      const { store } = await opened.reopen();

      expect(await counters(store)).toEqual(before);
      expect(await listAll(store, { state: "dead" })).toHaveLength(4);
    });
  });

  describe("dead tasks that are too old", () => {
    test("are dropped, and counted, no sooner than their time", async ({ open }) => {
      const { store } = await open({ deadTtlMs: 150 });
      const key = callerKey("order-1");
      const dead = await killAll(store, [...newTasks(5), newTask("named", { key })]);
      const diedAt = (await store.find(QUEUE, key))?.lastResult?.endedAtMs ?? 0;

      await until("all are dropped", async () => {
        await store.dropOld();
        return (await counters(store)).dead === 0;
      });

      expect(await store.now()).toBeGreaterThanOrEqual(diedAt + 150);
      expect(await counters(store)).toMatchObject({ dead: 0, dropped: 6, deleted: 0, buried: 6 });
      for (const one of dead) expect(await store.find(QUEUE, one.key)).toBeUndefined();
      expect(await store.failureGroups(QUEUE)).toEqual([]);
      expect(await listAll(store, { state: "dead" })).toEqual([]);
      expect(await store.enqueue(QUEUE, [newTask("again", { key })])).toMatchObject([{ kind: "created" }]);
    });

    test("are not those that live again, nor those that died again since", async ({ open }) => {
      const { store } = await open({ deadTtlMs: 300 });
      const dead = await killAll(store, newTasks(3));
      const [left, alive, again] = keysOf(dead);
      await store.revive(QUEUE, [alive ?? "", again ?? ""]);
      const held = await claim(store);
      const start = await store.now();
      await until("half of their time is over", async () => (await store.now()) >= start + 150);
      await settleAll(store, held.slice(1), bury());

      await until("the one that was left is dropped", async () => {
        await store.dropOld();
        return (await store.find(QUEUE, left ?? "")) === undefined;
      });

      expect((await store.find(QUEUE, alive ?? ""))?.state).toBe("active");
      const diedAt = start + 150;
      const found = await store.find(QUEUE, again ?? "");
      if (!found) expect(await store.now()).toBeGreaterThanOrEqual(diedAt + 300);
      else expect(found.state).toBe("dead");
      expect(await settleAll(store, held.slice(0, 1), ack())).toEqual(["settled"]);
    });

    test("leave those that are not", async ({ store }) => {
      const dead = await killAll(store, newTasks(5));

      await store.dropOld();

      for (const { key } of dead) expect((await store.find(QUEUE, key))?.state).toBe("dead");
      expect(await counters(store)).toMatchObject({ dead: 5, dropped: 0 });
    });
  });
}
