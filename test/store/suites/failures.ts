import { groupOfFailure, LIMITS, type Settlement, type Store } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import type { Backend } from "../backend.ts";
import { keysListed, listAll, untilLater } from "../lists.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  bury,
  claimAll,
  claimOne,
  counters,
  discard,
  failure,
  keysOf,
  killAll,
  newTask,
  newTasks,
  QUEUE,
  retry,
  settle,
  settleAll,
  typedTask,
} from "../tasks.ts";

export function failuresSuite(test: StoreTest, backend: Backend): void {
  describe("failureGroups", () => {
    test("are the dead tasks by their errors, without what differs", async ({ store }) => {
      const before = await store.now();
      await killAll(store, newTasks(1), bury("user 17 of order 4711 not found"));
      const between = await untilLater(store);
      await killAll(store, newTasks(1), {
        kind: "bury",
        failure: failure("user 1 of order 2 not found", { type: "Other" }),
      });
      const [last] = await killAll(
        store,
        [newTask("urgent", { priority: 1 })],
        bury("user 18 of order 4712 not found\nsecond line"),
      );
      const after = await store.now();

      const groups = await store.failureGroups(QUEUE);

      const [mine, other] = groups.toSorted((a, b) => b.count - a.count);
      const { id, errorType, message } = groupOfFailure(failure("user 17 of order 4711 not found"));
      expect(mine).toMatchObject({ id, errorType, message, count: 2, sampleKey: last?.key });
      expect(mine?.firstAtMs).toBeGreaterThanOrEqual(before);
      expect(mine?.firstAtMs).toBeLessThan(between);
      expect(mine?.lastAtMs).toBeGreaterThanOrEqual(between);
      expect(mine?.lastAtMs).toBeLessThanOrEqual(after);
      expect(other).toMatchObject({ errorType: "Other", message, count: 1 });
      expect(other?.id).not.toBe(id);
      expect(groups).toHaveLength(2);
    });

    test("make three of two thousand failures of three errors", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(1_000));
      await store.enqueue(QUEUE, newTasks(1_000));
      const held = await claimAll(store);
      const settlements = held.map(
        ({ lease, index }, i): Settlement => ({ lease, index, outcome: bury(messageOf(i % 3, i)) }),
      );
      await store.settle(QUEUE, settlements.slice(0, 1_000));
      await store.settle(QUEUE, settlements.slice(1_000));

      const groups = await store.failureGroups(QUEUE);

      expect(groups.map(({ count }) => count).sort()).toEqual([666, 667, 667]);
      expect(groups.map(({ message }) => message).sort()).toEqual(
        [0, 1, 2].map((kind) => groupOfFailure(failure(messageOf(kind, 1))).message).sort(),
      );
    });

    test("have no failures that did not kill, and none for a queue without dead tasks", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(4));
      const held = await claimAll(store);
      for (const [i, outcome] of [ack(), retry(), discard()].entries())
        await settleAll(store, held.slice(i, i + 1), outcome);

      expect(await store.failureGroups(QUEUE)).toEqual([]);
      expect(await store.failureGroups("unheard-of")).toEqual([]);
    });

    test("are of the failure that killed, not of those before", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(1));
      await settle(store, await claimOne(store), { kind: "retry", delayMs: 0, failure: failure("first") });
      await settle(store, await claimOne(store), bury("last"));

      expect(await store.failureGroups(QUEUE)).toMatchObject([{ message: "last", count: 1 }]);
    });

    test("follow what is revived, deleted and dies again", async ({ store }) => {
      const first = await killAll(store, newTasks(5), bury("first error"));
      const second = await killAll(store, newTasks(3), bury("second error"));
      expect(await countsOf(store)).toEqual({ "first error": 5, "second error": 3 });

      await store.revive(QUEUE, keysOf([first[0], first[1], second[0]].filter((one) => one !== undefined)));
      expect(await countsOf(store)).toEqual({ "first error": 3, "second error": 2 });

      await settleAll(store, await claimAll(store), bury("second error"));
      expect(await countsOf(store)).toEqual({ "first error": 3, "second error": 5 });

      await store.deleteDead(QUEUE, keysOf(first.slice(2)));
      expect(await countsOf(store)).toEqual({ "second error": 5 });

      await store.deleteDead(QUEUE, keysOf([...first, ...second]));
      expect(await store.failureGroups(QUEUE)).toEqual([]);
      expect(await counters(store)).toMatchObject({ dead: 0 });
    });

    test("have a sample that is dead, the last as long as that is", async ({ store }) => {
      const dead: string[] = [];
      for (let i = 0; i < 6; i++) {
        dead.push(...keysOf(await killAll(store, newTasks(1), bury("the error"))));
        await untilLater(store);
      }
      await killAll(store, newTasks(1), bury("another error"));
      const sample = async () =>
        (await store.failureGroups(QUEUE)).find(({ message }) => message === "the error")?.sampleKey;
      expect(await sample()).toBe(dead[5]);

      await store.revive(QUEUE, [dead[5] ?? ""]);
      expect(dead.slice(0, 5)).toContain(await sample());
      await store.deleteDead(
        QUEUE,
        [dead[0], dead[4], dead[2]].map((key) => key ?? ""),
      );
      expect([dead[1], dead[3]]).toContain(await sample());

      await settleAll(store, await claimAll(store), bury("the error"));
      expect(await sample()).toBe(dead[5]);
    });

    test("narrow the list of dead tasks, page by page", async ({ store }) => {
      const groups = [0, 1, 2].map((kind) => groupOfFailure(failure(messageOf(kind, 0))).id);
      const keys: string[][] = [[], [], []];
      for (let round = 0; round < 4; round++) {
        const tasks = [...newTasks(12), typedTask("sms", { priority: 1 })];
        const kind = round % 2;
        keys[kind]?.push(...keysOf(await killAll(store, tasks, bury(messageOf(kind, round)))));
      }
      keys[2]?.push(...keysOf(await killAll(store, newTasks(1), bury(messageOf(2, 0)))));

      for (const [kind, failureGroup] of groups.entries()) {
        for (const limit of [1, 5, 100]) {
          const listed = await listAll(store, { state: "dead", failureGroup, limit });
          expect(keysListed(listed).sort()).toEqual(keys[kind]?.sort());
          const times = listed.map(({ timeMs }) => timeMs);
          expect(times).toEqual([...times].sort((a, b) => b - a));
        }
      }
      const urgent = await listAll(store, { state: "dead", failureGroup: groups[0], type: "sms", limit: 3 });
      expect(urgent).toHaveLength(2);
      expect(await listAll(store, { state: "dead", failureGroup: "00000000" })).toEqual([]);
    });

    test("are no more than may be; what is beyond belongs to none", async ({ store }) => {
      const max = LIMITS.failureGroups;
      const letters = (i: number) => String.fromCharCode(...[...String(i)].map((digit) => 97 + Number(digit)));
      const kill = async (from: number, to: number) => {
        await store.enqueue(QUEUE, newTasks(to - from));
        const held = await claimAll(store);
        await store.settle(
          QUEUE,
          held.map(({ lease, index }, i) => ({ lease, index, outcome: bury(`error ${letters(from + i)}`) })),
        );
        return held;
      };
      const grouped = await kill(0, max);
      const [beyond] = await kill(max, max + 1);
      expect(await store.failureGroups(QUEUE)).toHaveLength(max);
      expect(await counters(store)).toMatchObject({ dead: max + 1 });

      await store.revive(QUEUE, keysOf(grouped.slice(0, 1)));
      await settle(store, await claimOne(store), ack());
      expect(await store.failureGroups(QUEUE)).toHaveLength(max - 1);
      await kill(max, max + 1);
      await store.deleteDead(QUEUE, [beyond?.key ?? ""]);

      expect((await countsOf(store))[`error ${letters(max)}`], "one that belongs to none is not taken from it").toBe(1);
    });

    test("are kept when the store is opened again", async ({ opened }) => {
      await killAll(opened.store, newTasks(5), bury("first error"));
      const second = await killAll(
        opened.store,
        [newTask("urgent", { priority: 1 }), ...newTasks(2)],
        bury("second error"),
      );
      await opened.store.revive(QUEUE, keysOf(second.slice(0, 1)));
      const before = (await opened.store.failureGroups(QUEUE)).toSorted((a, b) => a.count - b.count);

      const { store } = await opened.reopen();

      expect((await store.failureGroups(QUEUE)).toSorted((a, b) => a.count - b.count)).toEqual(before);
      await store.deleteDead(QUEUE, keysOf(second));
      expect(await countsOf(store)).toEqual({ "first error": 5 });
    });
  });

  if (!backend.capabilities.shared) return;
  test("failureGroups are of the dead tasks of all brokers", async ({ opened }) => {
    const { store: other } = await opened.second();
    await killAll(opened.store, newTasks(3), bury("the error"));
    await killAll(other, newTasks(4), bury("the error"));

    for (const store of [opened.store, other]) expect(await countsOf(store)).toEqual({ "the error": 7 });
  });
}

function messageOf(kind: number, number: number): string {
  return [`user ${number} not found`, `timed out after ${number} ms`, `"${number}" is not an address`][kind] ?? "";
}

async function countsOf(store: Store): Promise<Record<string, number>> {
  return Object.fromEntries((await store.failureGroups(QUEUE)).map(({ message, count }) => [message, count]));
}
