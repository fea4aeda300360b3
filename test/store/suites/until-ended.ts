import { callerKey } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import type { Backend } from "../backend.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  bury,
  claimAll,
  claimOne,
  discard,
  keysOf,
  leaseOne,
  lose,
  newTask,
  newTasks,
  QUEUE,
  retry,
  settle,
  settleAll,
} from "../tasks.ts";

const never = () => new AbortController().signal;

export function untilEndedSuite(test: StoreTest, backend: Backend): void {
  describe("untilEnded", () => {
    test.for([
      ["completed", ack("fine")],
      ["dead", bury()],
      ["cancelled", discard()],
    ] as const)("resolves when the task is %s, before and after", async ([state, outcome], { store }) => {
      const held = await leaseOne(store);
      const waiting = store.untilEnded(QUEUE, held.key, never());

      await settle(store, held, outcome);

      expect(await waiting).toMatchObject({ key: held.key, state });
      expect(await store.untilEnded(QUEUE, held.key, never())).toEqual(await store.find(QUEUE, held.key));
    });

    test("waits through retries and lost deliveries", async ({ store }) => {
      const held = await leaseOne(store, newTask("the task", { key: callerKey("order-1") }));
      let hasEnded = false;
      const waiting = store.untilEnded(QUEUE, held.key, never()).finally(() => {
        hasEnded = true;
      });

      await settle(store, held, retry());
      await settle(store, await claimOne(store), lose(1));
      const last = await claimOne(store);
      expect(hasEnded).toBe(false);
      await settle(store, last, ack("fine"));

      const ended = await waiting;
      expect(ended).toMatchObject({ state: "completed", attempt: 2, lostCount: 1 });
      expect(ended?.lastResult?.result?.toString()).toBe("fine");
    });

    test("serves many who wait, each for a task of one block", async ({ store }) => {
      const enqueued = await store.enqueue(QUEUE, newTasks(100));
      const waiting = enqueued.map(({ key }) => store.untilEnded(QUEUE, key, never()));
      const twice = store.untilEnded(QUEUE, enqueued[0]?.key ?? "", never());

      await settleAll(store, (await claimAll(store)).reverse(), ack());

      expect((await Promise.all(waiting)).map((task) => task?.key)).toEqual(keysOf(enqueued));
      expect((await twice)?.state).toBe("completed");
    });

    test("knows nothing of a task that does not exist", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(1));

      expect(await store.untilEnded(QUEUE, callerKey("unheard-of"), never())).toBeUndefined();
      expect(await store.untilEnded("unheard-of", callerKey("unheard-of"), never())).toBeUndefined();
    });

    test("rejects with the reason of its signal", async ({ store }) => {
      const held = await leaseOne(store);
      const abort = new AbortController();
      const waiting = store.untilEnded(QUEUE, held.key, abort.signal);
      const reason = new Error("the caller went away");

      abort.abort(reason);

      await expect(waiting).rejects.toBe(reason);
      await expect(store.untilEnded(QUEUE, held.key, abort.signal)).rejects.toBe(reason);
      expect(await settle(store, held, ack())).toBe("settled");
    });

    if (!backend.capabilities.shared) return;
    test("resolves when another broker settles the task", async ({ opened }) => {
      const { store: other } = await opened.second();
      await opened.store.enqueue(QUEUE, [newTask("plain"), newTask("urgent", { priority: 1 })]);
      const held = await claimAll(opened.store);
      const waiting = held.map(({ key }) => other.untilEnded(QUEUE, key, never()));
      // The other broker listens by now, or will find the task ended.
      await other.find(QUEUE, held[0]?.key ?? "");

      await settleAll(opened.store, held, ack("fine"));

      for (const ended of await Promise.all(waiting)) expect(ended?.state).toBe("completed");
    });
  });
}
