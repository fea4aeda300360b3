import { callerKey } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import { until } from "../../support/until.ts";
import type { Backend } from "../backend.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  claim,
  claimAll,
  claimOne,
  counters,
  keysOf,
  lose,
  newTask,
  newTasks,
  QUEUE,
  release,
  settle,
  settleAll,
  textsOf,
} from "../tasks.ts";

export function claimSuite(test: StoreTest, backend: Backend): void {
  describe("claim", () => {
    test("answers nothing for a queue that is empty, or was never heard of", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(1));
      await claim(store);

      expect(await claim(store)).toEqual([]);
      expect(await claim(store, { queue: "unheard-of" })).toEqual([]);
      expect(await store.queues()).toEqual([QUEUE]);
    });

    test("tells when its tasks were due, if they were scheduled", async ({ store }) => {
      const delayed = newTasks(3).map((task) => ({ ...task, delayMs: 20 }));
      const enqueued = await store.enqueue(QUEUE, [...delayed, newTask("alone", { delayMs: 20, priority: 1 })]);
      const limit = { maxTasks: 10, maxBytes: 10_000 };
      const grants = await until("they are due", async () => {
        const some = await store.claim(QUEUE, limit);
        return some.length > 0 && some;
      });
      await store.enqueue("plain", newTasks(1));
      const [plain] = await store.claim("plain", limit);

      const dueAtMs = enqueued[0]?.runAtMs ?? 0;
      for (const grant of grants) expect(Math.abs(grant.runAtMs - dueAtMs), "by some clock").toBeLessThan(100);
      expect(plain?.runAtMs).toBe(0);
    });

    test("takes first what was added first, whatever the sizes of batches and claims", async ({ store }) => {
      const sizes = [1, 200, 3, 128, 40, 1, 1, 129];
      const expected: string[] = [];
      for (const [i, size] of sizes.entries()) {
        const batch = newTasks(size, `batch ${i}`);
        await store.enqueue(QUEUE, batch);
        expected.push(...batch.map(({ body }) => Buffer.from(body).toString()));
      }

      const taken: string[] = [];
      for (let maxTasks = 1; taken.length < expected.length; maxTasks = (maxTasks % 60) + 7) {
        taken.push(...textsOf(await claim(store, { maxTasks })));
      }

      expect(taken).toEqual(expected);
    });

    test("keeps the order of plain and named tasks among each other", async ({ store }) => {
      const named = (id: string) => newTask(id, { key: callerKey(id) });
      await store.enqueue(QUEUE, [newTask("a"), named("b"), newTask("c"), newTask("d"), named("e")]);
      await store.enqueue(QUEUE, [named("f"), newTask("g")]);

      expect(textsOf(await claimAll(store, { maxTasks: 2 }))).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
    });

    test("takes higher priorities first, and lower than 0 last", async ({ store }) => {
      const priorities = [0, 1, -1, 5, 0, -1_000_000, 1_000_000, 5, 1];
      await store.enqueue(
        QUEUE,
        priorities.map((priority, i) => newTask(`${priority} at ${i}`, { priority })),
      );

      const held = await claimAll(store, { maxTasks: 4 });

      const expected = [
        "1000000 at 6",
        "5 at 3",
        "5 at 7",
        "1 at 1",
        "1 at 8",
        "0 at 0",
        "0 at 4",
        "-1 at 2",
        "-1000000 at 5",
      ];
      expect(textsOf(held)).toEqual(expected);
    });

    test("lets a task of high priority pass a line that is partly claimed", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(10));
      await claim(store, { maxTasks: 3 });
      await store.enqueue(QUEUE, [newTask("urgent", { priority: 1 })]);

      expect(textsOf(await claim(store, { maxTasks: 2 }))).toEqual(["urgent", "task 3"]);
    });

    test("takes exactly as many as asked for, also across batches", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(100));
      await store.enqueue(QUEUE, newTasks(100, "next"));

      expect(await claim(store, { maxTasks: 1 })).toHaveLength(1);
      expect(await claim(store, { maxTasks: 120 })).toHaveLength(120);
      expect(await claim(store, { maxTasks: 200 })).toHaveLength(79);
    });

    test("stops before more bytes than asked for", async ({ store }) => {
      await store.enqueue(
        QUEUE,
        Array.from({ length: 10 }, () => newTask("x".repeat(100))),
      );

      expect(await claim(store, { maxBytes: 350 })).toHaveLength(3);
      expect(await claim(store, { maxBytes: 400 })).toHaveLength(4);
      expect(await claim(store, { maxBytes: 10_000 })).toHaveLength(3);
    });

    test("takes one task that is larger than the bytes asked for, alone", async ({ store }) => {
      await store.enqueue(QUEUE, [newTask("small"), newTask("x".repeat(5_000)), newTask("last")]);

      expect(textsOf(await claim(store, { maxBytes: 100 }))).toEqual(["small"]);
      expect(await claim(store, { maxBytes: 100 })).toMatchObject([{ body: { length: 5_000 } }]);
      expect(textsOf(await claim(store, { maxBytes: 1 }))).toEqual(["last"]);
    });

    test("takes what was enqueued in the same tick before it", async ({ store }) => {
      const enqueued = store.enqueue(QUEUE, newTasks(3));
      const held = await claim(store);

      expect(keysOf(held)).toEqual(keysOf(await enqueued));
    });

    test("does not take what is enqueued in the same tick after it", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(1, "before"));

      const held = claim(store);
      const enqueued = store.enqueue(QUEUE, newTasks(1, "after"));

      expect(textsOf(await held)).toEqual(["before 0"]);
      await enqueued;
      expect(textsOf(await claim(store))).toEqual(["after 0"]);
    });

    test("tells the attempt, when the task came, and whether it has options", async ({ store }) => {
      const before = await store.now();
      await store.enqueue(QUEUE, [newTask("plain"), newTask("with options", { hasOptions: true })]);
      const after = await store.now();

      const held = await claimAll(store, { maxTasks: 1 });

      expect(held.map(({ grant }) => grant.hasOptions)).toEqual([false, true]);
      for (const { lease, grant } of held) {
        expect(lease).toMatchObject({ queue: QUEUE, broker: store.brokerId, attempt: 1 });
        expect(grant.lostCount).toBe(0);
        expect(grant.enqueuedAtMs).toBeGreaterThanOrEqual(before);
        expect(grant.enqueuedAtMs).toBeLessThanOrEqual(after);
      }
    });

    test("tells of options when any task of the grant has them", async ({ store }) => {
      await store.enqueue(QUEUE, [...newTasks(5), newTask("with options", { hasOptions: true }), ...newTasks(5)]);

      const held = await claimAll(store);

      expect(held[5]?.grant.hasOptions).toBe(true);
    });

    test("gives each grant a lease of its own", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(300));

      const held = await claimAll(store, { maxTasks: 7 });

      const grants = new Set(held.map(({ grant }) => grant));
      expect(new Set([...grants].map(({ broker, sequence }) => `${broker} ${sequence}`)).size).toBe(grants.size);
    });

    test("leaves the tasks of other queues alone", async ({ store }) => {
      await store.enqueue("one", newTasks(2, "of one"));
      await store.enqueue("two", newTasks(2, "of two"));

      expect(textsOf(await claimAll(store, { queue: "two" }))).toEqual(["of two 0", "of two 1"]);
      expect(textsOf(await claimAll(store, { queue: "one" }))).toEqual(["of one 0", "of one 1"]);
    });
  });

  describe("a task that came back", () => {
    test.for([
      ["released", release()],
      ["lost with its worker", lose(1)],
      ["lost with its broker", lose(0)],
    ] as const)("%s, is claimed before the others of priority 0", async ([, outcome], { store }) => {
      await store.enqueue(QUEUE, newTasks(10));
      const held = await claim(store, { maxTasks: 4 });

      await settleAll(store, held, outcome);

      const again = textsOf(await claimAll(store));
      expect(again.slice(0, 4).sort()).toEqual(textsOf(held).sort());
      expect(again.slice(4)).toEqual(
        newTasks(10)
          .slice(4)
          .map(({ body }) => Buffer.from(body).toString()),
      );
    });

    test("is claimed after those of higher priority", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(1));
      const held = await claimOne(store);
      await store.enqueue(QUEUE, [newTask("urgent", { priority: 1 })]);

      await settle(store, held, release());

      expect(textsOf(await claimAll(store))).toEqual(["urgent", "task 0"]);
    });

    test("keeps its priority", async ({ store }) => {
      await store.enqueue(QUEUE, [
        newTask("urgent", { priority: 9 }),
        newTask("idle", { priority: -9 }),
        newTask("plain"),
      ]);
      const held = await claimAll(store);

      await settleAll(store, held, release());

      expect(textsOf(await claimAll(store))).toEqual(["urgent", "plain", "idle"]);
    });

    test("from the middle of a block comes back alone", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(128));
      const held = await claimAll(store);
      const chosen = [3, 64, 65, 127].map((i) => held[i]).filter((one) => one !== undefined);

      await settleAll(store, chosen, release());

      const again = await claimAll(store);
      expect(keysOf(again).sort()).toEqual(keysOf(chosen).sort());
      expect(textsOf(again).sort()).toEqual(textsOf(chosen).sort());
      expect(await counters(store)).toMatchObject({ ready: 0, active: 128, dequeued: 132 });
    });
  });

  if (!backend.capabilities.shared) return;
  describe("two brokers", () => {
    test("that claim at the same time never share a task", async ({ opened }) => {
      const { store } = opened;
      const { store: other } = await opened.second();
      for (let i = 0; i < 20; i++) await store.enqueue(QUEUE, newTasks(50, `batch ${i}`));

      const [mine, theirs] = await Promise.all([claimAll(store, { maxTasks: 7 }), claimAll(other, { maxTasks: 11 })]);

      const keys = [...keysOf(mine), ...keysOf(theirs)];
      expect(keys).toHaveLength(1_000);
      expect(new Set(keys).size).toBe(1_000);
      expect(mine.length * theirs.length, "both got some").toBeGreaterThan(0);
    });

    test("wake each other", async ({ opened }) => {
      const { store: other, events } = await opened.second();

      await opened.store.enqueue(QUEUE, newTasks(1));

      await until("the other broker hears that the queue is ready", () => events.readyQueues.includes(QUEUE));
      const held = await claimOne(other);
      expect(await settle(other, held, ack())).toBe("settled");
    });
  });
}
