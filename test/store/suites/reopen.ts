import { callerKey } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import { until } from "../../support/until.ts";
import type { Backend } from "../backend.ts";
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
  keysOf,
  lose,
  newTask,
  newTasks,
  QUEUE,
  retry,
  settle,
  settleAll,
  textsOf,
} from "../tasks.ts";

export function reopenSuite(test: StoreTest, backend: Backend): void {
  describe("a store that is opened again", () => {
    test("has every task that it accepted, in order, with the same keys and bodies", async ({ opened }) => {
      const enqueued = await opened.store.enqueue(QUEUE, newTasks(300));
      const named = await opened.store.enqueue(QUEUE, [newTask("named", { key: callerKey("named") })]);
      await opened.store.enqueue(QUEUE, [newTask("urgent", { priority: 1 }), newTask("far", { delayMs: FAR_MS })]);

      const { store } = await opened.reopen();

      expect(await counters(store)).toMatchObject({ enqueued: 303, ready: 302, scheduled: 1 });
      const [urgent, ...rest] = await claimAll(store, { maxTasks: 70 });
      expect(urgent?.body.toString()).toBe("urgent");
      expect(keysOf(rest)).toEqual(keysOf([...enqueued, ...named]));
      expect(textsOf(rest)).toEqual([...newTasks(300).map(({ body }) => Buffer.from(body).toString()), "named"]);
    });

    test("knows every end, attempt and count", async ({ opened }) => {
      await opened.store.enqueue(QUEUE, newTasks(10));
      const held = await claimAll(opened.store);
      const outcomes = [ack("fine"), bury(), discard(), retry(FAR_MS), lose(1)];
      await opened.store.settle(
        QUEUE,
        held.map(({ lease, index }, i) => ({ lease, index, outcome: outcomes[i % outcomes.length] ?? ack() })),
      );
      const before = await Promise.all(held.map(({ key }) => opened.store.find(QUEUE, key)));
      const counted = await counters(opened.store);

      const { store } = await opened.reopen();

      expect(await Promise.all(held.map(({ key }) => store.find(QUEUE, key)))).toEqual(before);
      expect(await counters(store)).toEqual(counted);
      expect(await store.queues()).toEqual([QUEUE]);
    });

    test("promotes what fell due while it was closed", async ({ opened }) => {
      await opened.store.enqueue(QUEUE, [newTask("soon", { delayMs: 10 })]);

      const { store } = await opened.reopen();

      expect((await claimOne(store)).body.toString()).toBe("soon");
    });

    test("has the batch that waits for its time, and what is left of one that was due", async ({ opened }) => {
      const later = newTasks(150, "later").map((task) => ({ ...task, delayMs: FAR_MS }));
      const soon = newTasks(150, "soon").map((task) => ({ ...task, delayMs: 10 }));
      const waiting = await opened.store.enqueue(QUEUE, later);
      const due = await opened.store.enqueue(QUEUE, soon);
      await until("they are due", async () => (await opened.store.now()) >= Math.max(...due.map((one) => one.runAtMs)));
      const held = await claimAll(opened.store);
      const settled = held.filter((_, i) => i % 3 === 0);
      await settleAll(opened.store, settled, ack());
      await settleAll(
        opened.store,
        held.filter((_, i) => i % 3 !== 0),
        lose(0),
      );

      const { store } = await opened.reopen();

      const gone = new Set(keysOf(settled));
      const left = keysOf(due).filter((key) => !gone.has(key));
      expect(keysOf(await claimAll(store)).sort()).toEqual(left.sort());
      expect(await counters(store)).toMatchObject({ scheduled: 150, active: 100, completed: 50 });
      for (const { key, runAtMs } of waiting.slice(120, 140))
        expect(await store.find(QUEUE, key)).toMatchObject({ state: "scheduled", runAtMs });
    });

    test("hands every unsettled task out once, and none that was settled", async ({ opened }) => {
      await opened.store.enqueue(QUEUE, newTasks(256));
      const held = await claimAll(opened.store, { maxTasks: 200 });
      const settled = held.filter((_, i) => i % 2 === 0);
      await settleAll(opened.store, settled, ack());
      const unsettled = held.filter((_, i) => i % 2 === 1);

      const { store } = await opened.reopen();

      if (backend.capabilities.durableLeases) {
        expect(new Set(await settleAll(store, unsettled, ack()))).toEqual(new Set(["settled"]));
        expect(await claim(store)).toEqual([]);
      } else {
        const again = await claimAll(store);
        expect(keysOf(again).sort()).toEqual(keysOf(unsettled).sort());
        for (const { grant } of again) expect(grant).toMatchObject({ attempt: 1, lostCount: 0 });
        expect(new Set(await settleAll(store, unsettled, ack()))).toEqual(new Set(["stale"]));
        await settleAll(store, again, ack());
      }
      expect(await counters(store)).toMatchObject({ completed: 256, ready: 0, active: 0, lost: 0 });
    });

    test("answers a repeated ack as before", async ({ opened }) => {
      await opened.store.enqueue(QUEUE, newTasks(3));
      const held = await claimAll(opened.store);
      await settleAll(opened.store, held, ack("fine"));

      const { store } = await opened.reopen();

      expect(new Set(await settleAll(store, held, ack("fine")))).toEqual(new Set(["settled"]));
      expect(await counters(store)).toMatchObject({ completed: 3 });
    });

    test("makes no key and no lease a second time", async ({ opened }) => {
      const keys = keysOf(await opened.store.enqueue(QUEUE, [...newTasks(5), newTask("urgent", { priority: 1 })]));
      const leases = (await claimAll(opened.store)).map(({ lease }) => `${lease.broker} ${lease.sequence}`);

      const { store } = await opened.reopen();
      keys.push(...keysOf(await store.enqueue(QUEUE, [...newTasks(5), newTask("urgent", { priority: 1 })])));
      const again = (await claimAll(store)).map(({ lease }) => `${lease.broker} ${lease.sequence}`);

      expect(new Set(keys).size).toBe(12);
      for (const lease of again) expect(leases).not.toContain(lease);
    });

    test("takes a settlement after a claim of its own", async ({ opened }) => {
      await opened.store.enqueue(QUEUE, newTasks(1));
      const { store } = await opened.reopen();

      expect(await settle(store, await claimOne(store), ack())).toBe("settled");
    });
  });
}
