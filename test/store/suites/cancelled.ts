import { callerKey, type NewTask } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import type { Backend } from "../backend.ts";
import { untilLater } from "../lists.ts";
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
  leaseOne,
  newTask,
  newTasks,
  QUEUE,
  release,
  settle,
  settleAll,
  textsOf,
} from "../tasks.ts";

const REASON = "ordered twice";
const WAITING = { kind: "cancelled", lease: undefined, index: 0 } as const;

/** Tasks that ended before, and what became of those that were cancelled. */
export function cancelledSuite(test: StoreTest, backend: Backend): void {
  describe("cancel of a task that was to end", () => {
    test("again is told that it has ended, and changes nothing", async ({ store }) => {
      const [created] = await store.enqueue(QUEUE, newTasks(2));
      const key = created?.key ?? "";
      await store.cancel(QUEUE, key, REASON);
      const before = { task: await store.find(QUEUE, key), counters: await counters(store) };

      expect(await store.cancel(QUEUE, key, "another reason")).toEqual({ kind: "ended", state: "cancelled" });

      expect({ task: await store.find(QUEUE, key), counters: await counters(store) }).toEqual(before);
    });

    test("by many at the same time ends it once", async ({ store }) => {
      const [created] = await store.enqueue(QUEUE, newTasks(3));

      const answers = await Promise.all(
        Array.from({ length: 10 }, () => store.cancel(QUEUE, created?.key ?? "", REASON)),
      );

      expect(answers.filter(({ kind }) => kind === "cancelled")).toEqual([WAITING]);
      expect(answers.filter(({ kind }) => kind === "ended")).toHaveLength(9);
      expect(await counters(store)).toMatchObject({ cancelled: 1, ready: 2 });
    });

    test.for([
      ["completed", ack("fine"), "completed"],
      ["dead", bury(), "dead"],
      ["discarded", discard(), "cancelled"],
    ] as const)("and is %s changes nothing", async ([, outcome, state], { store }) => {
      for (const task of [newTask("plain"), newTask("urgent", { priority: 1 })]) {
        const held = await leaseOne(store, task);
        await settle(store, held, outcome);
        const before = { task: await store.find(QUEUE, held.key), counters: await counters(store) };

        expect(await store.cancel(QUEUE, held.key, REASON)).toEqual({ kind: "ended", state });

        expect({ task: await store.find(QUEUE, held.key), counters: await counters(store) }).toEqual(before);
      }
    });

    test("and does not exist is told so", async ({ store }) => {
      const [created] = await store.enqueue(QUEUE, newTasks(1));

      expect(await store.cancel(QUEUE, callerKey("unheard-of"), REASON)).toEqual({ kind: "missing" });
      expect(await store.cancel(QUEUE, `${created?.key.slice(0, -2)}33`, REASON)).toEqual({ kind: "missing" });
      expect(await store.cancel("unheard-of", created?.key ?? "", REASON)).toEqual({ kind: "missing" });

      expect(await store.queues(), "no queue is made").toEqual([QUEUE]);
      expect(await claimOne(store)).toMatchObject({ key: created?.key });
    });

    test("keeps a caller's key until its record is dropped", async ({ store }) => {
      const key = callerKey("order-1");
      await store.enqueue(QUEUE, [newTask("first", { key })]);
      await store.cancel(QUEUE, key, REASON);

      const again = await store.enqueue(QUEUE, [newTask("second", { key })]);

      expect(again).toMatchObject([{ kind: "existing", key, state: "cancelled" }]);
      expect(await claim(store)).toEqual([]);
    });
  });

  describe("a task that was cancelled", () => {
    test("is never claimed, however much is claimed, given back and cancelled around it", async ({ store }) => {
      const enqueued = await store.enqueue(QUEUE, mixture());
      const cancelled = new Set<string>();
      let round = 0;
      for (
        let held = await claim(store, { maxTasks: 30 });
        held.length > 0;
        held = await claim(store, { maxTasks: 30 })
      ) {
        for (const key of keysOf(held)) expect(cancelled.has(key), key).toBe(false);
        await settleAll(store, held.slice(0, 10), release());
        for (const { key } of enqueued.filter((_, i) => i % 13 === round % 13)) {
          if ((await store.cancel(QUEUE, key, REASON)).kind === "cancelled") cancelled.add(key);
        }
        const answers = await settleAll(store, held.slice(10), ack());
        for (const [i, { key }] of held.slice(10).entries()) {
          expect(answers[i], key).toBe(cancelled.has(key) ? "stale" : "settled");
        }
        round++;
      }

      const counted = await counters(store);
      expect(counted).toMatchObject({ cancelled: cancelled.size, ready: 0, active: 0, scheduled: 0 });
      expect(counted.completed + counted.cancelled, "one end for each").toBe(enqueued.length);
      for (const key of cancelled) expect((await store.find(QUEUE, key))?.state).toBe("cancelled");
    });

    test("ends the wait for it", async ({ store }) => {
      const enqueued = await store.enqueue(QUEUE, [newTask("plain"), newTask("far", { delayMs: FAR_MS })]);
      const [held] = await claim(store);
      const never = new AbortController().signal;
      const waiting = enqueued.map(({ key }) => store.untilEnded(QUEUE, key, never));

      for (const { key } of enqueued) await store.cancel(QUEUE, key, REASON);

      for (const ended of await Promise.all(waiting)) {
        expect(ended).toMatchObject({ state: "cancelled", lastResult: { failure: { message: REASON } } });
      }
      expect(held && (await settle(store, held, ack()))).toBe("stale");
    });

    test("is dropped in time, as any other that has ended", async ({ open }) => {
      const { store } = await open({ resultTtlMs: 1 });
      const enqueued = await store.enqueue(QUEUE, [...newTasks(4), newTask("urgent", { priority: 1 })]);
      await claim(store, { maxTasks: 2 });
      for (const { key } of enqueued) await store.cancel(QUEUE, key, REASON);
      await untilLater(store);
      await untilLater(store);

      await store.dropOld();

      for (const { key } of enqueued) {
        expect(await store.find(QUEUE, key)).toBeUndefined();
        expect(await store.cancel(QUEUE, key, REASON)).toEqual({ kind: "missing" });
      }
      expect(await counters(store)).toMatchObject({ enqueued: 5, cancelled: 5, ready: 0, active: 0 });
    });

    test("stays cancelled when the store is opened again, and the rest of its block in the line", async ({
      opened,
    }) => {
      const enqueued = await opened.store.enqueue(QUEUE, [...newTasks(10), newTask("far", { delayMs: FAR_MS })]);
      const chosen = [2, 3, 7, 10];
      for (const i of chosen) await opened.store.cancel(QUEUE, enqueued[i]?.key ?? "", REASON);
      const before = await Promise.all(enqueued.map(({ key }) => opened.store.find(QUEUE, key)));

      const { store } = await opened.reopen();

      expect(await Promise.all(enqueued.map(({ key }) => store.find(QUEUE, key)))).toEqual(before);
      expect(await counters(store)).toMatchObject({ ready: 7, scheduled: 0, cancelled: 4 });
      expect(textsOf(await claimAll(store))).toEqual(texts(newTasks(10)).filter((_, i) => !chosen.includes(i)));
    });
  });

  if (!backend.capabilities.shared) return;
  test("a task cancelled by one broker is never claimed by another", async ({ opened }) => {
    const { store: other } = await opened.second();
    const enqueued = await opened.store.enqueue(QUEUE, newTasks(300));

    const [held, ...answers] = await Promise.all([
      claimAll(other, { maxTasks: 9 }),
      ...enqueued.filter((_, i) => i % 3 === 0).map(({ key }) => opened.store.cancel(QUEUE, key, REASON)),
    ]);

    const wasWaiting = answers.filter((answer) => answer.kind === "cancelled" && !answer.lease);
    expect(answers.filter(({ kind }) => kind === "cancelled")).toHaveLength(100);
    expect(held).toHaveLength(300 - wasWaiting.length);
    const settled = await settleAll(other, held, ack());
    expect(settled.filter((answer) => answer === "settled")).toHaveLength(200);
    expect(await counters(other)).toMatchObject({ completed: 200, cancelled: 100, ready: 0, active: 0 });
  });
}

/** Blocks, priorities and callers' keys. */
function mixture(): NewTask[] {
  const named = Array.from({ length: 40 }, (_, i) => newTask(`named ${i}`, { key: callerKey(`${i}`) }));
  const urgent = Array.from({ length: 40 }, (_, i) => newTask(`urgent ${i}`, { priority: 1 + (i % 2) }));
  return [...newTasks(150), ...named, ...newTasks(70, "more"), ...urgent, ...newTasks(128, "last")];
}

function texts(tasks: readonly NewTask[]): string[] {
  return tasks.map(({ body }) => Buffer.from(body).toString());
}
