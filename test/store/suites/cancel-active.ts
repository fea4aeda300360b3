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
  lose,
  newTask,
  newTasks,
  QUEUE,
  release,
  retry,
  settle,
  settleAll,
  snooze,
} from "../tasks.ts";

const REASON = "ordered twice";
const OUTCOMES = [ack("late"), retry(), bury(), discard(), release(), snooze(), lose(0), lose(1)];

/** Cancelling what a worker has. */
export function cancelActiveSuite(test: StoreTest, backend: Backend): void {
  describe("cancel of an active task", () => {
    test.for([
      ["plain", newTask("chosen")],
      ["prioritised", newTask("chosen", { priority: 1 })],
      ["named", newTask("chosen", { key: callerKey("order-1") })],
    ] as const)("that is %s takes it from its lease", async ([, task], { store }) => {
      const held = await leaseOne(store, task);
      const before = await store.now();

      expect(await store.cancel(QUEUE, held.key, REASON)).toEqual({
        kind: "cancelled",
        lease: held.lease,
        index: held.index,
      });

      const found = await store.find(QUEUE, held.key);
      const failure = { type: "cancelled", message: REASON };
      expect(found).toMatchObject({ state: "cancelled", body: undefined, attempt: 1, lastResult: { failure } });
      expect(found?.attempts).toMatchObject([{ attempt: 1, outcome: "cancelled", failure }]);
      expect(found?.lastResult?.endedAtMs).toBeGreaterThanOrEqual(before);
      expect(await store.findLeased(held.lease, held.index)).toBeUndefined();
      expect(await counters(store)).toMatchObject({
        active: 0,
        ready: 0,
        cancelled: 1,
        failed: 0,
        lost: 0,
        dequeued: 1,
      });
    });

    test("makes whatever its worker says of it stale", async ({ store }) => {
      for (const task of [newTask("plain"), newTask("urgent", { priority: 1 })]) {
        const held = await leaseOne(store, task);
        await store.cancel(QUEUE, held.key, REASON);
        const before = { task: await store.find(QUEUE, held.key), counters: await counters(store) };

        for (const outcome of OUTCOMES) expect(await settle(store, held, outcome), outcome.kind).toBe("stale");

        expect({ task: await store.find(QUEUE, held.key), counters: await counters(store) }).toEqual(before);
        expect(await claim(store)).toEqual([]);
      }
    });

    test("that was retried keeps its attempts", async ({ store }) => {
      await settle(store, await leaseOne(store), retry());
      const held = await claimOne(store);

      expect(await store.cancel(QUEUE, held.key, REASON)).toEqual({ kind: "cancelled", lease: held.lease, index: 0 });

      const found = await store.find(QUEUE, held.key);
      expect(found).toMatchObject({ state: "cancelled", attempt: 2 });
      expect(found?.attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
        [2, "cancelled"],
        [1, "failed"],
      ]);
      expect(await settle(store, held, ack())).toBe("stale");
    });

    test("in a block that is leased as a whole leaves the others current", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(128));
      const held = await claimAll(store);
      const isChosen = (i: number) => i % 5 === 0;

      for (const [i, { key, lease, index }] of held.entries()) {
        if (isChosen(i)) expect(await store.cancel(QUEUE, key, REASON)).toEqual({ kind: "cancelled", lease, index });
      }

      expect(await counters(store)).toMatchObject({ active: 102, cancelled: 26 });
      const answers = await settleAll(store, held, ack());
      expect(answers).toEqual(held.map((_, i) => (isChosen(i) ? "stale" : "settled")));
      expect(await counters(store)).toMatchObject({ active: 0, completed: 102, cancelled: 26 });
      expect(await claim(store)).toEqual([]);
    });

    test("in a block that was settled in part leaves the rest to be settled in any way", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(12));
      const held = await claimAll(store);
      await settleAll(store, held.slice(0, 4), ack());

      for (const { key } of held.slice(4, 6)) await store.cancel(QUEUE, key, REASON);

      expect(new Set(await settleAll(store, held.slice(6, 9), release()))).toEqual(new Set(["settled"]));
      expect(new Set(await settleAll(store, held.slice(9), bury()))).toEqual(new Set(["settled"]));
      expect(await counters(store)).toMatchObject({ completed: 4, cancelled: 2, ready: 3, dead: 3, active: 0 });
      const again = await claimAll(store);
      expect(again).toHaveLength(3);
      expect(new Set(await settleAll(store, again, ack()))).toEqual(new Set(["settled"]));
    });

    test("in the same tick as its ack lets the first of both count", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(2));
      const [one, two] = await claimAll(store);
      if (!one || !two) throw new Error("two tasks expected");

      const [acked, tooLate] = await Promise.all([settle(store, one, ack()), store.cancel(QUEUE, one.key, REASON)]);
      const [cancelled, stale] = await Promise.all([store.cancel(QUEUE, two.key, REASON), settle(store, two, ack())]);

      expect([acked, tooLate]).toEqual(["settled", { kind: "ended", state: "completed" }]);
      expect([cancelled, stale]).toEqual([{ kind: "cancelled", lease: two.lease, index: two.index }, "stale"]);
      expect(await counters(store)).toMatchObject({ completed: 1, cancelled: 1, active: 0 });
    });

    test("tells the broker that holds it", async ({ opened }) => {
      await opened.store.enqueue(QUEUE, [...newTasks(3), newTask("urgent", { priority: 1 })]);
      const held = await claimAll(opened.store);

      for (const { key } of held) await opened.store.cancel(QUEUE, key, REASON);

      for (const { lease, index } of held) {
        const { broker, sequence } = lease;
        await until("it hears of each", () =>
          opened.events.cancelledLeases.some((one) => one.sequence === sequence && one.index === index),
        );
        expect(opened.events.cancelledLeases).toContainEqual({ broker, sequence, index });
      }
    });

    test("leaves nothing for others to give away", async ({ open }) => {
      const opened = await open();
      await opened.store.enqueue(QUEUE, [...newTasks(5), newTask("urgent", { priority: 1 })]);
      const held = await claimAll(opened.store);
      for (const { key } of held.slice(0, 4)) await opened.store.cancel(QUEUE, key, REASON);

      const { store } = await opened.reopen();

      expect(await counters(store)).toMatchObject({ cancelled: 4 });
      const rest = backend.capabilities.durableLeases ? held.slice(4) : await claimAll(store);
      expect(rest.map(({ key }) => key).sort()).toEqual(
        held
          .slice(4)
          .map(({ key }) => key)
          .sort(),
      );
      expect(new Set(await settleAll(store, rest, ack()))).toEqual(new Set(["settled"]));
      expect(await counters(store)).toMatchObject({ cancelled: 4, completed: 2, ready: 0, active: 0 });
    });
  });

  if (!backend.capabilities.shared) return;
  describe("cancel of a task that another broker leased", () => {
    test("takes it from that lease, and tells that broker alone", async ({ opened }) => {
      const other = await opened.second();
      await opened.store.enqueue(QUEUE, [...newTasks(40), newTask("urgent", { priority: 1 })]);
      const held = await claimAll(opened.store);
      const chosen = [held[0], held[7], held[40]].filter((one) => one !== undefined);

      for (const { key, lease, index } of chosen) {
        expect(await other.store.cancel(QUEUE, key, REASON)).toEqual({ kind: "cancelled", lease, index });
      }

      await until("the holder hears of all", () => opened.events.cancelledLeases.length >= chosen.length);
      for (const { lease, index } of chosen) {
        const { broker, sequence } = lease;
        expect(opened.events.cancelledLeases).toContainEqual({ broker, sequence, index });
      }
      expect(other.events.cancelledLeases, "it leased nothing").toEqual([]);
      const answers = await settleAll(opened.store, held, ack());
      expect(answers.filter((answer) => answer === "stale")).toHaveLength(3);
      expect(await counters(other.store)).toMatchObject({ completed: 38, cancelled: 3, active: 0 });
    });

    test("keeps what was cancelled from coming back when that broker stops", async ({ opened }) => {
      const leaving = await opened.second();
      await opened.store.enqueue(QUEUE, newTasks(30));
      const held = await claimAll(leaving.store);
      for (const { key } of held.slice(10, 20)) await opened.store.cancel(QUEUE, key, REASON);

      await leaving.close();

      const again = await claimAll(opened.store);
      const rest = [...held.slice(0, 10), ...held.slice(20)];
      expect(again.map(({ key }) => key).sort()).toEqual(rest.map(({ key }) => key).sort());
      expect(await counters(opened.store)).toMatchObject({ active: 20, cancelled: 10, lost: 0 });
    });
  });
}
