import { callerKey, type NewTask, type Outcome, type Store } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import { untilLater } from "../lists.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  claim,
  claimAll,
  counters,
  discard,
  FAR_MS,
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

const REASON = "ordered twice";
const WAITING = { kind: "cancelled", lease: undefined, index: 0 } as const;

/** Every way in which a task can wait: how it comes to it, and in which state it is then. */
const WAITS: readonly (readonly [string, NewTask, Outcome | undefined, "ready" | "scheduled"])[] = [
  ["is plain and ready", newTask("chosen"), undefined, "ready"],
  ["is scheduled", newTask("chosen", { delayMs: FAR_MS }), undefined, "scheduled"],
  ["has a high priority", newTask("chosen", { priority: 7 }), undefined, "ready"],
  ["has a low priority", newTask("chosen", { priority: -7 }), undefined, "ready"],
  ["has a caller's key", newTask("chosen", { key: callerKey("order-1") }), undefined, "ready"],
  ["has a key and is scheduled", newTask("chosen", { key: callerKey("1"), delayMs: FAR_MS }), undefined, "scheduled"],
  ["was released", newTask("chosen"), release(), "ready"],
  ["was lost with its worker", newTask("chosen"), lose(1), "ready"],
  ["was lost with its broker", newTask("chosen"), lose(0), "ready"],
  ["waits for its retry", newTask("chosen"), retry(FAR_MS), "scheduled"],
  ["was snoozed", newTask("chosen"), snooze(FAR_MS), "scheduled"],
  ["came back with a priority", newTask("chosen", { priority: 7 }), release(), "ready"],
  ["was lost with a caller's key", newTask("chosen", { key: callerKey("order-1") }), lose(1), "ready"],
];

/** Cancelling what no worker has. */
export function cancelSuite(test: StoreTest): void {
  describe("cancel of a task that waits", () => {
    test.for(WAITS)("and %s ends it", async ([, task, outcome, state], { store }) => {
      const key = await bringAbout(store, task, outcome);
      await store.enqueue(QUEUE, newTasks(3, "other"));
      const before = { now: await store.now(), task: await store.find(QUEUE, key), counters: await counters(store) };
      expect(before.task?.state).toBe(state);

      expect(await store.cancel(QUEUE, key, REASON)).toEqual(WAITING);

      const found = await store.find(QUEUE, key);
      expect(found).toMatchObject({ state: "cancelled", body: undefined, runAtMs: 0 });
      expect(found).toMatchObject({ attempt: before.task?.attempt, lostCount: before.task?.lostCount });
      expect(found?.attempts, "no attempt was under way").toEqual(before.task?.attempts);
      expect(found?.lastResult).toMatchObject({
        success: false,
        result: undefined,
        failure: { type: "cancelled", message: REASON },
      });
      expect(found?.lastResult?.endedAtMs).toBeGreaterThanOrEqual(before.now);
      const { [state]: waiting, cancelled } = before.counters;
      const after = { ...before.counters, [state]: waiting - 1, cancelled: cancelled + 1 };
      expect(await counters(store)).toEqual(after);
      expect((await store.promote(QUEUE, 10)).nextInMs, "nothing is scheduled any more").toBeUndefined();
      expect(textsOf(await claimAll(store))).toEqual(["other 0", "other 1", "other 2"]);
    });

    test("and is due, but was not promoted yet, ends it", async ({ store }) => {
      const [created] = await store.enqueue(QUEUE, [newTask("soon", { delayMs: 1 })]);
      await untilLater(store);
      await untilLater(store);

      expect(await store.cancel(QUEUE, created?.key ?? "", REASON)).toEqual(WAITING);

      expect(await store.promote(QUEUE, 10)).toEqual({ promoted: 0, nextInMs: undefined });
      expect(await claimAll(store)).toEqual([]);
      expect(await counters(store)).toMatchObject({ scheduled: 0, ready: 0, active: 0, cancelled: 1 });
    });

    test.for([0, 1, 63, 126, 127])("in a block, at index %i, leaves the others in order", async (at, { store }) => {
      const enqueued = await store.enqueue(QUEUE, newTasks(128));
      await store.enqueue(QUEUE, newTasks(2, "next"));

      expect(await store.cancel(QUEUE, enqueued[at]?.key ?? "", REASON)).toEqual(WAITING);

      expect(await counters(store)).toMatchObject({ ready: 129, cancelled: 1 });
      const expected = [...texts(newTasks(128)).filter((_, i) => i !== at), "next 0", "next 1"];
      const held = await claimAll(store, { maxTasks: 50 });
      expect(textsOf(held)).toEqual(expected);
      expect(new Set(await settleAll(store, held, ack()))).toEqual(new Set(["settled"]));
      expect(await counters(store)).toMatchObject({ ready: 0, active: 0, completed: 129, cancelled: 1 });
    });

    test("in a block that is partly claimed leaves the rest of both parts", async ({ store }) => {
      const enqueued = await store.enqueue(QUEUE, newTasks(100));
      const first = await claim(store, { maxTasks: 40 });
      const chosen = [40, 55, 56, 57, 99];

      for (const i of chosen) expect(await store.cancel(QUEUE, enqueued[i]?.key ?? "", REASON)).toEqual(WAITING);

      expect(await counters(store)).toMatchObject({ active: 40, ready: 55, cancelled: 5 });
      const rest = await claimAll(store, { maxTasks: 7 });
      expect(textsOf(rest)).toEqual(texts(newTasks(100)).filter((_, i) => i >= 40 && !chosen.includes(i)));
      expect(new Set(await settleAll(store, [...rest, ...first], ack()))).toEqual(new Set(["settled"]));
      expect(await counters(store)).toMatchObject({ active: 0, ready: 0, completed: 95, cancelled: 5 });
    });

    test("among those of its block that came back to the front leaves the others there", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(20));
      const held = await claim(store, { maxTasks: 12 });
      await settleAll(store, held.slice(2, 10), release());

      for (const at of [2, 5, 9]) expect(await store.cancel(QUEUE, held[at]?.key ?? "", REASON)).toEqual(WAITING);

      expect(await counters(store)).toMatchObject({ active: 4, ready: 13, cancelled: 3 });
      const again = await claimAll(store);
      expect(textsOf(again.slice(0, 5)).sort()).toEqual(["task 3", "task 4", "task 6", "task 7", "task 8"]);
      expect(textsOf(again.slice(5))).toEqual(texts(newTasks(20)).slice(12));
    });

    test("for each of a block's tasks, one after the other, leaves nothing of it", async ({ opened }) => {
      const enqueued = await opened.store.enqueue(QUEUE, newTasks(50));

      for (const { key } of enqueued) await opened.store.cancel(QUEUE, key, REASON);

      const counted = await counters(opened.store);
      expect(counted).toMatchObject({ enqueued: 50, cancelled: 50, ready: 0, dequeued: 0 });
      expect(await claim(opened.store)).toEqual([]);
      const { store } = await opened.reopen();
      expect(await counters(store)).toEqual(counted);
      expect(await claim(store)).toEqual([]);
      for (const { key } of enqueued) expect((await store.find(QUEUE, key))?.state).toBe("cancelled");
    });

    test("makes a late ack of its lost delivery stale", async ({ store }) => {
      for (const task of [newTask("plain"), newTask("urgent", { priority: 1 })]) {
        for (const count of [0, 1] as const) {
          const held = await leaseOne(store, task);
          await settle(store, held, lose(count));
          expect(await store.cancel(QUEUE, held.key, REASON)).toEqual(WAITING);

          for (const late of [ack("late"), lose(count), release(), discard()]) {
            expect(await settle(store, held, late), late.kind).toBe("stale");
          }

          expect((await store.find(QUEUE, held.key))?.state).toBe("cancelled");
        }
      }
      expect(await counters(store)).toMatchObject({ cancelled: 4, completed: 0, lost: 2, ready: 0, failed: 0 });
    });

    test("in the same tick before a claim keeps it from that", async ({ store }) => {
      const key = callerKey("order-1");

      const enqueued = store.enqueue(QUEUE, [newTask("chosen", { key }), newTask("other")]);
      const cancelled = store.cancel(QUEUE, key, REASON);
      const held = claim(store);

      expect(await enqueued).toMatchObject([{ kind: "created", state: "ready" }, { kind: "created" }]);
      expect(await cancelled).toEqual(WAITING);
      expect(textsOf(await held)).toEqual(["other"]);
    });
  });
}

/** Brings a task where it waits, and gives its key. */
async function bringAbout(store: Store, task: NewTask, outcome: Outcome | undefined): Promise<string> {
  if (outcome) {
    const held = await leaseOne(store, task);
    expect(await settle(store, held, outcome)).toBe("settled");
    return held.key;
  }
  const [created] = await store.enqueue(QUEUE, [task]);
  return created?.key ?? "";
}

function texts(tasks: readonly NewTask[]): string[] {
  return tasks.map(({ body }) => Buffer.from(body).toString());
}
