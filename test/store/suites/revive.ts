import { callerKey, type Store } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import { until } from "../../support/until.ts";
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
  killAll,
  leaseOne,
  lose,
  newTask,
  newTasks,
  QUEUE,
  release,
  retry,
  settle,
  textsOf,
} from "../tasks.ts";

const NAMED = callerKey("order-1");

export function reviveSuite(test: StoreTest, backend: Backend): void {
  describe.for([
    ["plain", newTask("chosen")],
    ["prioritised", newTask("chosen", { priority: 3 })],
    ["named", newTask("chosen", { key: NAMED })],
  ] as const)("revive of a dead task that was %s", ([, task]) => {
    test("makes it ready as at its first attempt, and keeps its history", async ({ store }) => {
      const { key } = await leaseAndKill(store, [lose(1), retry(), bury()], task);
      const dead = await store.find(QUEUE, key);
      expect(dead).toMatchObject({ state: "dead", attempt: 2, lostCount: 1 });

      expect(await store.revive(QUEUE, [key])).toEqual(["done"]);

      const found = await store.find(QUEUE, key);
      expect(found).toEqual({ ...dead, state: "ready", attempt: 1, lostCount: 0 });
      expect(found?.attempts).toHaveLength(3);
      expect(await counters(store)).toMatchObject({ dead: 0, ready: 1, revived: 1, buried: 1, failed: 2, retried: 1 });
      const held = await claimOne(store);
      expect(held).toMatchObject({ key, grant: { attempt: 1, lostCount: 0 } });
      expect(held.body.toString()).toBe("chosen");
      expect(await settle(store, held, retry())).toBe("settled");
      expect((await claimOne(store)).lease.attempt).toBe(2);
    });

    test("lets it complete, and die again", async ({ store }) => {
      const { key } = await leaseAndKill(store, [bury("first")], task);
      await store.revive(QUEUE, [key]);
      const held = await claimOne(store);

      expect(await settle(store, held, bury("second"))).toBe("settled");

      expect(await store.find(QUEUE, key)).toMatchObject({
        state: "dead",
        attempt: 1,
        lastResult: { failure: { message: "second" } },
      });
      expect(await counters(store)).toMatchObject({ dead: 1, buried: 2, revived: 1, ready: 0, active: 0 });
      expect(await store.revive(QUEUE, [key])).toEqual(["done"]);
      expect(await settle(store, await claimOne(store), ack("fine"))).toBe("settled");
      const ended = await store.find(QUEUE, key);
      expect(ended).toMatchObject({ state: "completed", attempt: 1 });
      expect(ended?.attempts.map(({ outcome }) => outcome)).toEqual(["completed", "failed", "failed"]);
      expect(await counters(store)).toMatchObject({ dead: 0, buried: 2, revived: 2, completed: 1, dequeued: 3 });
    });

    test("leaves the leases of its former life stale", async ({ store }) => {
      const dead = await leaseAndKill(store, [bury()], task);
      await store.revive(QUEUE, [dead.key]);

      expect(await settle(store, dead, ack())).toBe("stale");
      expect(await settle(store, dead, lose())).toBe("stale");
      const again = await claimOne(store);
      for (const outcome of [ack(), release(), bury()]) expect(await settle(store, dead, outcome)).toBe("stale");

      expect(await settle(store, again, ack())).toBe("settled");
    });
  });

  describe("revive", () => {
    test("puts tasks at the end of the line, in the order given", async ({ store }) => {
      const dead = await killAll(store, newTasks(6, "dead"));
      await store.enqueue(QUEUE, newTasks(3, "before"));
      const order = [4, 0, 5, 2];

      const keys = order.map((i) => dead[i]?.key ?? "");
      expect(await store.revive(QUEUE, keys)).toEqual(["done", "done", "done", "done"]);
      await store.enqueue(QUEUE, newTasks(2, "after"));

      expect(textsOf(await claimAll(store))).toEqual([
        ...["before 0", "before 1", "before 2"],
        ...["dead 4", "dead 0", "dead 5", "dead 2"],
        ...["after 0", "after 1"],
      ]);
      expect(await counters(store)).toMatchObject({ dead: 2, revived: 4, ready: 0, active: 9 });
    });

    test("keeps priorities: each goes to the end of its own line", async ({ store }) => {
      const dead = await killAll(store, [newTask("dead high", { priority: 5 }), newTask("dead low", { priority: -5 })]);
      await store.enqueue(QUEUE, [
        newTask("low", { priority: -5 }),
        newTask("plain"),
        newTask("high", { priority: 5 }),
      ]);

      await store.revive(
        QUEUE,
        dead.map(({ key }) => key),
      );

      expect(textsOf(await claimAll(store))).toEqual(["high", "dead high", "plain", "low", "dead low"]);
    });

    test("answers for each task, and touches none that is not dead", async ({ store }) => {
      const [dead] = await killAll(store, newTasks(1));
      await store.enqueue(QUEUE, newTasks(4));
      const [completed, discarded, active] = await claim(store, { maxTasks: 3 });
      if (completed) await settle(store, completed, ack());
      if (discarded) await settle(store, discarded, discard());
      const scheduled = (await store.enqueue(QUEUE, [newTask("far", { delayMs: FAR_MS })]))[0];
      const ready = (await store.enqueue(QUEUE, [newTask("named", { key: NAMED })]))[0];
      const keys = [completed, dead, discarded, active, scheduled, ready, dead].map((task) => task?.key ?? "");
      const before = await Promise.all(keys.map((key) => store.find(QUEUE, key)));

      const answers = await store.revive(QUEUE, [...keys, callerKey("unheard-of")]);

      expect(answers).toEqual(["completed", "done", "cancelled", "active", "scheduled", "ready", "ready", "missing"]);
      const after = await Promise.all(keys.map((key) => store.find(QUEUE, key)));
      for (const i of [0, 2, 3, 4, 5]) expect(after[i]).toEqual(before[i]);
      expect(await store.revive(QUEUE, keys.slice(1, 2)), "a second call finds it not dead").toEqual(["ready"]);
      expect(await counters(store)).toMatchObject({ revived: 1, dead: 0 });
      expect(await store.revive("unheard-of", [NAMED])).toEqual(["missing"]);
      expect(await store.revive(QUEUE, [])).toEqual([]);
      expect(await store.queues()).toEqual([QUEUE]);
    });

    test("takes a thousand at once, each once, also when two calls ask for the same", async ({ store }) => {
      const dead = await killAll(store, newTasks(1_000));
      const keys = dead.map(({ key }) => key);

      const [first, second] = await Promise.all([store.revive(QUEUE, keys), store.revive(QUEUE, keys.slice(500))]);

      expect(new Set(first)).toEqual(new Set(["done"]));
      expect(new Set(second)).toEqual(new Set(["ready"]));
      expect((await claimAll(store)).map(({ key }) => key)).toEqual(keys);
      expect(await counters(store)).toMatchObject({ revived: 1_000, dead: 0, active: 1_000, dequeued: 2_000 });
    });

    test("tells that the queue is ready", async ({ opened }) => {
      const [dead] = await killAll(opened.store, newTasks(1));
      opened.events.readyQueues.length = 0;

      await opened.store.revive(QUEUE, [dead?.key ?? ""]);

      await until("it is told", () => opened.events.readyQueues.includes(QUEUE));
    });

    test("makes those who wait for its end wait for the next", async ({ store }) => {
      const [dead] = await killAll(store, newTasks(1));
      const key = dead?.key ?? "";
      await store.revive(QUEUE, [key]);
      const waiting = store.untilEnded(QUEUE, key, new AbortController().signal);

      await settle(store, await claimOne(store), ack("fine"));

      expect(await waiting).toMatchObject({ key, state: "completed" });
    });

    test("survives a crash", async ({ opened }) => {
      const dead = await killAll(opened.store, [...newTasks(5), newTask("urgent", { priority: 1 })]);
      await opened.store.revive(
        QUEUE,
        dead.slice(2).map(({ key }) => key),
      );
      const counted = await counters(opened.store);
      const before = await Promise.all(dead.map(({ key }) => opened.store.find(QUEUE, key)));

      const { store } = await opened.reopen();

      expect(await counters(store)).toEqual(counted);
      expect(await Promise.all(dead.map(({ key }) => store.find(QUEUE, key)))).toEqual(before);
      expect(textsOf(await claimAll(store))).toEqual(["urgent", "task 2", "task 3", "task 4"]);
    });
  });

  describe("deleteDead", () => {
    test("deletes dead tasks for good, and no others", async ({ store }) => {
      const dead = await killAll(store, [...newTasks(5), newTask("named", { key: NAMED })]);
      const [ready] = await store.enqueue(QUEUE, newTasks(1, "ready"));
      const keys = [dead[1], dead[5], ready, dead[1]].map((task) => task?.key ?? "");

      expect(await store.deleteDead(QUEUE, [...keys, callerKey("unheard-of")])).toEqual([
        "done",
        "done",
        "ready",
        "missing",
        "missing",
      ]);

      expect(await store.find(QUEUE, dead[1]?.key ?? "")).toBeUndefined();
      expect(await store.find(QUEUE, NAMED)).toBeUndefined();
      expect((await store.find(QUEUE, dead[0]?.key ?? ""))?.state).toBe("dead");
      expect(await counters(store)).toMatchObject({ dead: 4, deleted: 2, buried: 6, revived: 0, dropped: 0, ready: 1 });
      expect(await store.deleteDead(QUEUE, keys.slice(0, 2))).toEqual(["missing", "missing"]);
      expect(await store.revive(QUEUE, keys.slice(0, 2))).toEqual(["missing", "missing"]);
      expect(await store.deleteDead("unheard-of", [NAMED])).toEqual(["missing"]);
      expect(textsOf(await claimAll(store))).toEqual(["ready 0"]);
    });

    test("lets a caller's key be taken again, by a task without a past", async ({ store }) => {
      await killAll(store, [newTask("first", { key: NAMED })]);
      await store.deleteDead(QUEUE, [NAMED]);

      expect(await store.enqueue(QUEUE, [newTask("second", { key: NAMED })])).toMatchObject([
        { kind: "created", state: "ready" },
      ]);

      expect(await store.find(QUEUE, NAMED)).toMatchObject({
        attempt: 1,
        lostCount: 0,
        attempts: [],
        lastResult: undefined,
      });
      expect(textsOf(await claimAll(store))).toEqual(["second"]);
    });

    test("survives a crash", async ({ opened }) => {
      const dead = await killAll(opened.store, newTasks(5));
      await opened.store.deleteDead(
        QUEUE,
        dead.slice(2).map(({ key }) => key),
      );
      const counted = await counters(opened.store);

      const { store } = await opened.reopen();

      expect(await counters(store)).toEqual(counted);
      const states = await Promise.all(dead.map(async ({ key }) => (await store.find(QUEUE, key))?.state));
      expect(states).toEqual(["dead", "dead", undefined, undefined, undefined]);
    });

    test("and revive of the same tasks at the same time come to one of both for each", async ({ store }) => {
      const dead = await killAll(store, newTasks(200));
      const keys = dead.map(({ key }) => key);
      await untilLater(store);

      const [deleted, revived] = await Promise.all([
        store.deleteDead(
          QUEUE,
          keys.filter((_, i) => i % 2 === 0),
        ),
        store.revive(QUEUE, keys),
      ]);

      expect(new Set(deleted)).toEqual(new Set(["done"]));
      expect(revived).toEqual(keys.map((_, i) => (i % 2 === 0 ? "missing" : "done")));
      expect(await claimAll(store)).toHaveLength(100);
      expect(await counters(store)).toMatchObject({ dead: 0, deleted: 100, revived: 100, buried: 200 });
    });
  });

  if (!backend.capabilities.shared) return;
  test("two brokers that revive the same tasks revive each once", async ({ opened }) => {
    const { store: other, events } = await opened.second();
    const keys = (await killAll(opened.store, newTasks(300))).map(({ key }) => key);
    events.readyQueues.length = 0;

    const [mine, theirs] = await Promise.all([opened.store.revive(QUEUE, keys), other.revive(QUEUE, keys)]);

    expect([...mine, ...theirs].filter((answer) => answer === "done")).toHaveLength(300);
    expect([...mine, ...theirs].filter((answer) => answer === "ready")).toHaveLength(300);
    expect(await claimAll(other)).toHaveLength(300);
    expect(await counters(opened.store)).toMatchObject({ revived: 300, dead: 0, active: 300 });
    await until("the other hears that the queue is ready", () => events.readyQueues.includes(QUEUE));
  });
}

/** Claims one task again and again, and settles it in these ways; the last one is its death. */
async function leaseAndKill(store: Store, outcomes: Parameters<typeof settle>[2][], task = newTask("chosen")) {
  let held = await leaseOne(store, task);
  for (const [i, outcome] of outcomes.entries()) {
    if (i > 0) held = await claimOne(store);
    expect(await settle(store, held, outcome)).toBe("settled");
  }
  return held;
}
