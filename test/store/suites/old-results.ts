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
  leaseOne,
  newTask,
  newTasks,
  QUEUE,
  settle,
  settleAll,
} from "../tasks.ts";

export function oldResultsSuite(test: StoreTest, backend: Backend): void {
  describe("dropOld", () => {
    test("drops what is past its time, and lets a caller's key be taken again", async ({ open }) => {
      const { store } = await open({ resultTtlMs: 150 });
      const key = callerKey("order-1");
      await store.enqueue(QUEUE, [newTask("named", { key }), ...newTasks(10)]);
      const held = await claimAll(store);
      await settleAll(store, held.slice(0, 6), ack("fine"));
      await settleAll(store, held.slice(6), discard());
      const endedAt = (await store.find(QUEUE, key))?.lastResult?.endedAtMs ?? 0;

      await until("all results are dropped", async () => {
        await store.dropOld();
        const found = await Promise.all(held.map((one) => store.find(QUEUE, one.key)));
        return found.every((task) => task === undefined);
      });

      expect(await store.now()).toBeGreaterThanOrEqual(endedAt + 150);
      expect(await store.enqueue(QUEUE, [newTask("named again", { key })])).toMatchObject([
        { kind: "created", key, state: "ready" },
      ]);
      expect((await claimOne(store)).body.toString()).toBe("named again");
      expect(await counters(store)).toMatchObject({ completed: 6, enqueued: 12 });
    });

    test("keeps what is not past its time", async ({ store }) => {
      await store.enqueue(QUEUE, [...newTasks(10), newTask("named", { key: callerKey("named") })]);
      const held = await claimAll(store);
      await settleAll(store, held, ack("fine"));

      await store.dropOld();

      for (const { key } of held) expect((await store.find(QUEUE, key))?.state).toBe("completed");
    });

    test("keeps no more results of a queue than the cap, the newest", async ({ open }) => {
      const { store } = await open({ maxResultsPerQueue: 10 });
      const ended: string[] = [];
      for (let i = 0; i < 40; i++) {
        const held = await leaseOne(store, newTask(`task ${i}`, i % 4 === 0 ? { key: callerKey(`task-${i}`) } : {}));
        await settle(store, held, ack("fine"));
        ended.push(held.key);
      }
      await store.enqueue("other", newTasks(1));
      const other = await claimOne(store, { queue: "other" });
      await settle(store, other, ack());

      await store.dropOld();

      const found = await Promise.all(ended.map((key) => store.find(QUEUE, key)));
      const kept = found.flatMap((task, i) => (task ? [i] : []));
      // Results may be dropped some at a time, but never the cap exceeded.
      expect(kept.length).toBeLessThanOrEqual(10);
      expect(kept.length).toBeGreaterThanOrEqual(5);
      expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 40 - kept.length + i));
      expect(await store.find("other", other.key)).toBeDefined();
    });

    test("leaves nothing to find of a task, also while others of its block are held or ready", async ({ open }) => {
      const { store } = await open({ resultTtlMs: 1, maxResultsPerQueue: 0 });
      const enqueued = await store.enqueue(QUEUE, newTasks(8));
      const held = await claim(store, { maxTasks: 6 });
      await settleAll(store, held.slice(0, 2), ack());
      await settleAll(store, held.slice(2, 3), discard());
      await settle(store, await claimOne(store), ack());

      const ended = [0, 1, 2, 6].map((i) => enqueued[i]?.key ?? "");
      await until("their results are dropped", async () => {
        await store.dropOld();
        const found = await Promise.all(ended.map((key) => store.find(QUEUE, key)));
        return found.every((task) => task === undefined);
      });

      const states = await Promise.all(enqueued.map(async ({ key }) => (await store.find(QUEUE, key))?.state));
      const none = undefined;
      expect(states).toEqual([none, none, none, "active", "active", "active", none, "ready"]);
    });

    test("does not touch dead tasks, nor those that have not ended", async ({ open }) => {
      const { store } = await open({ resultTtlMs: 1, maxResultsPerQueue: 0 });
      await store.enqueue(QUEUE, newTasks(3));
      const dead = await claimOne(store);
      await settle(store, dead, bury());
      const active = await claimOne(store);

      await store.dropOld();

      expect((await store.find(QUEUE, dead.key))?.state).toBe("dead");
      expect((await store.find(QUEUE, active.key))?.state).toBe("active");
      expect(await settle(store, active, ack())).toBe("settled");
      expect(await claimAll(store)).toHaveLength(1);
    });

    if (!backend.capabilities.shared) return;
    test("leaves nothing to find of a task that another broker settled", async ({ open }) => {
      const opened = await open({ resultTtlMs: 1, maxResultsPerQueue: 0 });
      const { store: other } = await opened.second();
      await opened.store.enqueue(QUEUE, newTasks(3));
      const [first, second] = await claim(opened.store);
      if (first) await settle(other, first, ack());

      await until("its result is dropped", async () => {
        await other.dropOld();
        return (await other.find(QUEUE, first?.key ?? "")) === undefined;
      });

      for (const store of [opened.store, other]) {
        expect(await store.find(QUEUE, first?.key ?? "")).toBeUndefined();
        expect((await store.find(QUEUE, second?.key ?? ""))?.state).toBe("active");
      }
    });
  });
}
