import { callerKey, type NewTask, newTaskKey } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import type { Backend } from "../backend.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  bury,
  claimAll,
  claimOne,
  discard,
  FAR_MS,
  failure,
  leaseOne,
  lose,
  newTask,
  newTasks,
  QUEUE,
  retry,
  settle,
  settleAll,
} from "../tasks.ts";

const FORMS: readonly (readonly [string, NewTask])[] = [
  ["plain", newTask("the body")],
  ["prioritised", newTask("the body", { priority: 1 })],
  ["named", newTask("the body", { key: callerKey("order-1") })],
];

export function findSuite(test: StoreTest, backend: Backend): void {
  describe.for(FORMS)("find of a %s task", ([, task]) => {
    test("tells of it in every state", async ({ store }) => {
      const [created] = await store.enqueue(QUEUE, [task]);
      const key = created?.key ?? "";
      const body = Buffer.from("the body");
      const common = { queue: QUEUE, key, attempt: 1, lostCount: 0, runAtMs: 0 };
      expect(await store.find(QUEUE, key)).toMatchObject({ ...common, state: "ready", body, lastResult: undefined });

      const held = await claimOne(store);
      expect(await store.find(QUEUE, key)).toMatchObject({ ...common, state: "active", body, lastResult: undefined });

      await settle(store, held, ack("fine"));
      const found = await store.find(QUEUE, key);
      expect(found).toMatchObject({ ...common, state: "completed", body: undefined, lastResult: { success: true } });
      expect(found?.lastResult?.result?.toString()).toBe("fine");
    });

    test("tells of a dead one with its body and failure", async ({ store }) => {
      const held = await leaseOne(store, task);
      await settle(store, held, lose(1));
      await settle(store, await claimOne(store), retry());
      const before = await store.now();

      expect(await settle(store, await claimOne(store), bury())).toBe("settled");

      const found = await store.find(QUEUE, held.key);
      expect(found).toMatchObject({ state: "dead", body: Buffer.from("the body"), attempt: 2, lostCount: 1 });
      expect(found?.lastResult).toMatchObject({
        success: false,
        result: undefined,
        failure: failure(),
        durationMs: 34,
      });
      expect(found?.lastResult?.endedAtMs).toBeGreaterThanOrEqual(before);
      expect(await claimAll(store)).toEqual([]);
    });

    test("tells of a discarded one with its failure", async ({ store }) => {
      const held = await leaseOne(store, task);

      expect(await settle(store, held, discard())).toBe("settled");

      const found = await store.find(QUEUE, held.key);
      expect(found).toMatchObject({
        state: "cancelled",
        body: undefined,
        attempt: 1,
        lastResult: { success: false, failure: failure() },
      });
      expect(await claimAll(store)).toEqual([]);
    });

    test("tells when a scheduled one is due", async ({ store }) => {
      const [created] = await store.enqueue(QUEUE, [{ ...task, delayMs: FAR_MS }]);

      const found = await store.find(QUEUE, created?.key ?? "");

      expect(found).toMatchObject({
        state: "scheduled",
        body: Buffer.from("the body"),
        runAtMs: created?.runAtMs,
        attempt: 1,
      });
    });
  });

  describe("find", () => {
    test("knows nothing of what was never enqueued", async ({ store }) => {
      const [plain, urgent] = await store.enqueue(QUEUE, [newTask("plain"), newTask("urgent", { priority: 1 })]);

      expect(await store.find("unheard-of", plain?.key ?? "")).toBeUndefined();
      expect(await store.find(QUEUE, callerKey("unheard-of"))).toBeUndefined();
      expect(await store.find(QUEUE, newTaskKey(await store.now()))).toBeUndefined();
      expect(await store.find(QUEUE, `${plain?.key.slice(0, -2)}33`), "an index past the block").toBeUndefined();
      expect(await store.find(QUEUE, `${urgent?.key.slice(0, -2)}01`), "an index of a task alone").toBeUndefined();
      for (const odd of ["", "=", "x", "0".repeat(22), "=".repeat(129)])
        expect(await store.find(QUEUE, odd), odd).toBeUndefined();
    });

    test("tells the tasks of one block apart", async ({ store }) => {
      const enqueued = await store.enqueue(QUEUE, newTasks(128));
      const held = await claimAll(store, { maxTasks: 100 });
      await settleAll(store, held.slice(0, 10), ack());
      await settleAll(store, held.slice(10, 20), bury());

      for (const [i, { key }] of enqueued.entries()) {
        const found = await store.find(QUEUE, key);
        expect(found?.state, `task ${i}`).toBe(i < 10 ? "completed" : i < 20 ? "dead" : "active");
        if (i >= 10) expect(found?.body && Buffer.from(found.body).toString()).toBe(`task ${i}`);
      }
    });

    if (!backend.capabilities.shared) return;
    test("tells the same to every broker", async ({ opened }) => {
      const { store: other } = await opened.second();
      const held = await leaseOne(opened.store);
      expect(await other.find(QUEUE, held.key)).toEqual(await opened.store.find(QUEUE, held.key));

      await settle(opened.store, held, ack("fine"));
      expect(await other.find(QUEUE, held.key)).toEqual(await opened.store.find(QUEUE, held.key));
    });
  });
}
