import { callerKey, type ListedTask, type NewTask, type Store, type TaskState } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import { keysListed } from "../lists.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  bury,
  claim,
  claimAll,
  FAR_MS,
  type Held,
  keysOf,
  killAll,
  newTask,
  newTasks,
  QUEUE,
  release,
  retry,
  settleAll,
} from "../tasks.ts";

/** With small pages something happens after every few of them, so that it does not outrun the list. */
const TASKS_BETWEEN = 6;

/** What happens between two pages; it is told what the first of them showed. Gives the keys of the tasks that left their places. */
type Change = (store: Store, shown: readonly string[], turn: number) => Promise<readonly string[]>;

/** Pages that are turned while tasks come and go. */
export function listChangingSuite(test: StoreTest): void {
  describe.for([1, 4, 25])("a list in pages of %i that changes between them", (limit) => {
    test("shows each ready task that stays once: claims, cancels and new tasks", async ({ store }) => {
      const keys = keysOf(await store.enqueue(QUEUE, [...newTasks(140), ...named(10), ...newTasks(20, "more")]));

      await turnPages(store, { state: "ready", limit, keys }, async (_, shown, turn) => {
        const left = keysOf(await claim(store, { maxTasks: 3 }));
        const cancelled = [shown.at(-1), shown.at(0), keys[60 + (turn % 50)]];
        for (const key of cancelled) await store.cancel(QUEUE, key ?? "", "");
        await store.enqueue(QUEUE, [
          ...newTasks(2, "new"),
          ...named(1, `new-${turn}-`),
          newTask("high", { priority: 1 }),
        ]);
        return [...left, ...cancelled.map((key) => key ?? "")];
      });
    });

    test("shows each ready task that stays once: what comes back, and what is revived", async ({ store }) => {
      const dead = keysOf(await killAll(store, newTasks(100, "dead")));
      const keys = keysOf(await store.enqueue(QUEUE, [...newTasks(100), ...prioritised(10)]));
      const held: Held[] = await claim(store, { maxTasks: 30 });

      await turnPages(
        store,
        { state: "ready", limit, keys: keys.filter((key) => !keysOf(held).includes(key)) },
        async (_, _shown, turn) => {
          await settleAll(store, held.splice(0, 2), release());
          const again = await claim(store, { maxTasks: 3 });
          held.push(...again);
          await store.revive(QUEUE, dead.splice(0, 2));
          await store.enqueue(QUEUE, prioritised(1, -2 - (turn % 3)));
          return keysOf(again);
        },
      );
    });

    test("shows each scheduled task that stays once", async ({ store }) => {
      const keys = keysOf(await store.enqueue(QUEUE, scheduled(80)));

      await turnPages(store, { state: "scheduled", limit, keys }, async (_, shown, turn) => {
        const cancelled = [shown.at(-1), keys[(turn * 7) % 80]].map((key) => key ?? "");
        for (const key of cancelled) await store.cancel(QUEUE, key, "");
        await store.enqueue(QUEUE, scheduled(3));
        return cancelled;
      });
    });

    test("shows each active task that stays once", async ({ store }) => {
      await store.enqueue(QUEUE, [...newTasks(90), ...named(5), ...prioritised(5)]);
      const held = await claimAll(store, { maxTasks: 30 });

      await turnPages(store, { state: "active", limit, keys: keysOf(held) }, async (_, shown, turn) => {
        const chosen = held.filter(({ key }, i) => key === shown.at(-1) || i === (turn * 7) % held.length);
        await settleAll(store, chosen.slice(0, 1), ack());
        await settleAll(store, chosen.slice(1), retry(FAR_MS));
        await store.enqueue(QUEUE, newTasks(3, "new"));
        await claim(store, { maxTasks: 2 });
        return keysOf(chosen);
      });
    });

    test("shows each dead task that stays once", async ({ store }) => {
      const keys: string[] = [];
      for (let i = 0; i < 8; i++) keys.push(...keysOf(await killAll(store, [...newTasks(9), ...named(1, `${i}-`)])));

      await turnPages(store, { state: "dead", limit, keys }, async (_, shown, turn) => {
        const revived = [shown.at(-1), keys[(turn * 7) % 80]].map((key) => key ?? "");
        await store.revive(QUEUE, revived);
        const deleted = [keys[(turn * 11) % 80] ?? ""];
        await store.deleteDead(QUEUE, deleted);
        // Also those that were just revived die again, at another place.
        await settleAll(store, await claimAll(store), bury());
        await killAll(store, newTasks(2, "new"));
        return [...revived, ...deleted];
      });
    });

    test.for([
      ["completed", ack("fine")],
      ["cancelled", undefined],
    ] as const)("shows each %s task once", async ([state, outcome], { store }) => {
      const end = async (tasks: readonly NewTask[]) => {
        const keys = keysOf(await store.enqueue(QUEUE, tasks));
        if (outcome) await settleAll(store, await claimAll(store), outcome);
        else for (const key of keys) await store.cancel(QUEUE, key, "");
        return keys;
      };
      const keys: string[] = [];
      for (let i = 0; i < 8; i++) keys.push(...(await end([...newTasks(9), ...named(1, `${i}-`)])));

      await turnPages(store, { state, limit, keys }, async (_, __, turn) => {
        await end([...newTasks(2, "new"), ...named(1, `new-${turn}-`)]);
        return [];
      });
    });
  });
}

interface Turning {
  readonly state: TaskState;
  readonly limit: number;
  /** What is in that state at first. */
  readonly keys: readonly string[];
}

/** Turns all pages, makes the change after each, and looks whether what stayed in its place was shown once. */
async function turnPages(store: Store, { state, limit, keys }: Turning, change: Change): Promise<void> {
  const shown: ListedTask[] = [];
  const left = new Set<string>();
  let after: string | undefined;
  let pages = 0;
  let turn = 0;
  do {
    const page = await store.list(QUEUE, { state, limit, after });
    shown.push(...page.tasks);
    after = page.next;
    const isTime = after !== undefined && pages++ % Math.ceil(TASKS_BETWEEN / limit) === 0;
    if (isTime) for (const key of await change(store, keysListed(page.tasks), turn++)) left.add(key);
    expect(pages, "the list comes to an end").toBeLessThan(2_000);
  } while (after !== undefined);
  expect(turn, "there was a page to turn").toBeGreaterThan(0);
  const stayed = keys.filter((key) => !left.has(key));
  expect(stayed.length, "something stayed").toBeGreaterThan(0);
  const counts = new Map(stayed.map((key) => [key, 0]));
  for (const key of keysListed(shown)) if (counts.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
  expect(
    [...counts].filter(([, count]) => count !== 1),
    "tasks that stayed and were not shown once",
  ).toEqual([]);
}

function named(count: number, prefix = "named-"): NewTask[] {
  return Array.from({ length: count }, (_, i) => newTask(`${prefix}${i}`, { key: callerKey(`${prefix}${i}`) }));
}

function prioritised(count: number, priority = -1): NewTask[] {
  return newTasks(count, "prioritised").map((task) => ({ ...task, priority }));
}

/** Due at times that are mixed among those of others, some of them equal. */
function scheduled(count: number): NewTask[] {
  return newTasks(count, "far").map((task, i) => ({ ...task, delayMs: FAR_MS + ((i * 37) % 29) * 1_000 }));
}
