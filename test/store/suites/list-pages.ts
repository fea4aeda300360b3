import { callerKey, LIMITS, type ListQuery, type NewTask, type TaskState } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import type { Backend } from "../backend.ts";
import { keysListed, listAll, listPages, untilLater } from "../lists.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  bury,
  claim,
  claimAll,
  counters,
  discard,
  FAR_MS,
  keysOf,
  newTask,
  newTasks,
  QUEUE,
  release,
  retry,
  settleAll,
  typedTask,
} from "../tasks.ts";

const STATES: readonly TaskState[] = ["scheduled", "ready", "active", "completed", "dead", "cancelled"];

/** What a list shows of each task, its pages and its filters. */
export function listPagesSuite(test: StoreTest, backend: Backend): void {
  describe("list", () => {
    test("tells of each task what `find` tells, and when it was", async ({ store }) => {
      const before = await store.now();
      await store.enqueue(QUEUE, mixture());
      const held = await claim(store, { maxTasks: 24 });
      for (const [i, outcome] of [ack("fine"), bury(), discard(), retry(FAR_MS), release()].entries()) {
        await settleAll(store, held.slice(i * 4, i * 4 + 4), outcome);
      }

      for (const state of STATES) {
        const listed = await listAll(store, { state });
        expect(listed.length, state).toBeGreaterThan(0);
        for (const { task, timeMs } of listed) {
          expect(task).toEqual(await store.find(QUEUE, task.key));
          const ended = state === "completed" || state === "dead" || state === "cancelled";
          if (ended) expect(timeMs).toBe(task.lastResult?.endedAtMs);
          else if (state !== "scheduled") expect(timeMs).toBeGreaterThanOrEqual(before);
        }
      }
    });

    test("has every task in one state, with pages of any size", async ({ store }) => {
      const enqueued = await store.enqueue(QUEUE, mixture());
      const held = await claim(store, { maxTasks: 150 });
      for (const [i, outcome] of [ack(), bury(), discard(), retry(FAR_MS), release()].entries()) {
        await settleAll(
          store,
          held.filter((_, at) => at % 6 === i),
          outcome,
        );
      }
      const gauges = await counters(store);

      for (const limit of [1, 7, 64, LIMITS.tasksPerPage.max]) {
        const keys: string[] = [];
        for (const state of STATES) {
          const inState = keysListed(await listAll(store, { state, limit }));
          expect(inState, state).toHaveLength(gauges[state]);
          keys.push(...inState);
        }
        expect(keys.sort()).toEqual(keysOf(enqueued).sort());
      }
    });

    test("goes on behind any task that was shown", async ({ store }) => {
      await store.enqueue(QUEUE, mixture());
      const held = await claim(store, { maxTasks: 60 });
      for (const [i, outcome] of [ack(), bury(), discard(), retry(FAR_MS)].entries()) {
        await settleAll(
          store,
          held.filter((_, at) => at % 5 === i),
          outcome,
        );
      }

      for (const state of STATES) {
        const all = await listAll(store, { state });
        for (let at = 0; at < all.length; at += 9) {
          const rest = await listAll(store, { state, after: all[at]?.position, limit: 50 });
          expect(keysListed(rest), `${state} after ${at}`).toEqual(keysListed(all.slice(at + 1)));
        }
      }
    });

    test("is filtered by type", async ({ store }) => {
      const ofType = (type: string, count: number, more: Partial<NewTask> = {}) =>
        Array.from({ length: count }, () => typedTask(type, more));
      await store.enqueue(QUEUE, [
        ...ofType("sms", 3, { delayMs: FAR_MS }),
        ...ofType("email", 30, { delayMs: FAR_MS }),
      ]);
      const brief = [
        ...ofType("email", 90),
        ...ofType("sms", 5),
        ...ofType("email", 50),
        ...ofType("sms", 4, { priority: 1 }),
      ];
      await store.enqueue(QUEUE, brief);
      await settleAll(store, await claim(store, { maxTasks: 14 }), bury());
      await claim(store, { maxTasks: 2 });
      await store.enqueue(QUEUE, ofType("sms", 1, { priority: 9 }));
      await claim(store, { maxTasks: 1 });

      const count = async (query: Omit<ListQuery, "limit">) => (await listAll(store, { ...query, limit: 2 })).length;

      for (const [state, sms, email] of [
        ["scheduled", 3, 30],
        ["dead", 4, 10],
        ["active", 1, 2],
        ["ready", 5, 128],
      ] as const) {
        expect(await count({ state, type: "sms" }), state).toBe(sms);
        expect(await count({ state, type: "email" }), state).toBe(email);
        expect(await count({ state, type: "fax" }), state).toBe(0);
      }
    });

    test("of what has ended has the last thousand, of both kinds together", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(LIMITS.listedEnded));
      const held = await claimAll(store);
      await settleAll(store, held.slice(0, 300), discard());
      await settleAll(store, held.slice(300), ack("fine"));

      for (const [state, expected] of [
        ["cancelled", held.slice(0, 300)],
        ["completed", held.slice(300)],
      ] as const) {
        expect(keysListed(await listAll(store, { state, limit: 500 })).sort()).toEqual(keysOf(expected).sort());
      }
    });

    test("of nothing is one empty page", async ({ store }) => {
      await store.enqueue(QUEUE, [newTask("far", { delayMs: FAR_MS })]);

      for (const state of STATES) {
        const queues = state === "scheduled" ? ["unheard-of"] : [QUEUE, "unheard-of"];
        for (const queue of queues) {
          expect(await store.list(queue, { state, limit: 10 })).toEqual({ tasks: [], next: undefined });
        }
      }
      expect(await store.queues()).toEqual([QUEUE]);
    });

    test("is the same when the store is opened again, and its positions still hold", async ({ opened }) => {
      await opened.store.enqueue(QUEUE, mixture());
      const held = await claim(opened.store, { maxTasks: 64 });
      for (const [i, outcome] of [ack(), bury(), discard(), retry(FAR_MS)].entries()) {
        await settleAll(
          opened.store,
          held.filter((_, at) => at % 4 === i),
          outcome,
        );
        await untilLater(opened.store);
      }
      const before = new Map<TaskState, Awaited<ReturnType<typeof listPages>>>();
      for (const state of STATES) before.set(state, await listPages(opened.store, { state, limit: 10 }));

      const { store } = await opened.reopen();

      for (const [state, pages] of before) {
        const listed = pages.flat();
        expect((await listAll(store, { state, limit: 10 })).map(({ task }) => task)).toEqual(
          listed.map(({ task }) => task),
        );
        const rest = await listAll(store, { state, after: pages[0]?.at(-1)?.position });
        if (listed.length > 0) expect(keysListed(rest)).toEqual(keysListed(listed.slice(10)));
      }
    });
  });

  if (!backend.capabilities.shared) return;
  test("any broker lists what all have, and goes on where another ended", async ({ opened }) => {
    const { store: other } = await opened.second();
    await opened.store.enqueue(QUEUE, mixture());
    const held = [...(await claim(opened.store, { maxTasks: 40 })), ...(await claim(other, { maxTasks: 40 }))];
    await settleAll(other, held.slice(0, 20), ack());
    await settleAll(opened.store, held.slice(50), bury());

    for (const state of STATES) {
      const listed = await listAll(opened.store, { state, limit: 10 });
      expect(keysListed(await listAll(other, { state, limit: 500 }))).toEqual(keysListed(listed));
      const [first, ...rest] = keysListed(listed);
      const after = listed[0]?.position;
      if (first) expect(keysListed(await listAll(other, { state, after }))).toEqual(rest);
    }
    expect(await listAll(other, { state: "active" })).toHaveLength(30);
  });
}

/** Blocks, priorities, callers' keys and delays. */
function mixture(): NewTask[] {
  const odd = Array.from({ length: 30 }, (_, i): NewTask => {
    if (i % 3 === 0) return newTask(`named ${i}`, { key: callerKey(`${i}`) });
    if (i % 3 === 1) return newTask(`prioritised ${i}`, { priority: (i % 4) - 1 || 1 });
    return newTask(`far ${i}`, { delayMs: FAR_MS + i });
  });
  return [...newTasks(130), ...odd, ...newTasks(70, "more")];
}
