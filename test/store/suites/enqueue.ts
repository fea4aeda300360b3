import { randomBytes } from "node:crypto";
import { callerKey, type NewTask, type Producer } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import type { Backend } from "../backend.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  claim,
  claimAll,
  counters,
  errorCode,
  FAR_MS,
  keysOf,
  newTask,
  newTasks,
  QUEUE,
  settle,
  textsOf,
} from "../tasks.ts";

export function enqueueSuite(test: StoreTest, backend: Backend): void {
  describe("enqueue", () => {
    test("answers one entry for each task, in order, each with a key of its own", async ({ store }) => {
      const enqueued = await store.enqueue(QUEUE, newTasks(300));

      expect(enqueued).toHaveLength(300);
      expect(new Set(keysOf(enqueued)).size).toBe(300);
      for (const { kind, state, runAtMs } of enqueued) {
        expect({ kind, state, runAtMs }).toEqual({ kind: "created", state: "ready", runAtMs: 0 });
      }
    });

    test("hands the bodies out byte for byte, under the keys that it told", async ({ store }) => {
      const bodies = [0, 1, 127, 128, 20_000, 1024 * 1024, 0].map((size) => randomBytes(size));

      const enqueued = await store.enqueue(
        QUEUE,
        bodies.map((body) => newTask("", { body })),
      );
      const held = await claimAll(store);

      expect(keysOf(held)).toEqual(keysOf(enqueued));
      for (const [i, { body }] of held.entries())
        expect(body.equals(bodies[i] ?? Buffer.alloc(0)), `body ${i}`).toBe(true);
    });

    test("takes a batch of 1,000 tasks", async ({ store }) => {
      const enqueued = await store.enqueue(QUEUE, newTasks(1_000));
      const held = await claimAll(store);

      expect(keysOf(held)).toEqual(keysOf(enqueued));
      expect(textsOf(held)).toEqual(textsOfTasks(newTasks(1_000)));
    });

    test("keeps the order of calls that were made in one tick", async ({ store }) => {
      const batches = Array.from({ length: 50 }, (_, i) => newTasks(3, `batch ${i}`));

      await Promise.all(batches.map((batch) => store.enqueue(QUEUE, batch)));

      expect(textsOf(await claimAll(store))).toEqual(batches.flatMap(textsOfTasks));
    });

    test("tells of each kind of task what became of it, within one batch", async ({ store }) => {
      const before = await store.now();
      const runAtMs = before + 2 * FAR_MS;

      const enqueued = await store.enqueue(QUEUE, mixedBatch(runAtMs));

      const [plain, named, delayed, timed, urgent, past] = enqueued;
      expect(plain).toMatchObject({ kind: "created", state: "ready", runAtMs: 0 });
      expect(named).toMatchObject({ kind: "created", key: "=order-1", state: "ready", runAtMs: 0 });
      expect(delayed).toMatchObject({ kind: "created", state: "scheduled" });
      expect(delayed?.runAtMs).toBeGreaterThanOrEqual(before + FAR_MS);
      expect(timed).toMatchObject({ kind: "created", state: "scheduled", runAtMs });
      expect(urgent).toMatchObject({ kind: "created", state: "ready", runAtMs: 0 });
      expect(past).toMatchObject({ kind: "created" });
      expect(textsOf(await claimAll(store)).sort()).toEqual(["named", "past", "plain", "urgent"]);
    });

    test("refuses a queue above the limit, and still takes tasks for the others", async ({ open }) => {
      const { store } = await open({ maxQueues: 2 });
      await store.enqueue("first", newTasks(1));
      await store.enqueue("second", newTasks(1));

      expect(await errorCode(store.enqueue("third", newTasks(1)))).toBe("TOO_MANY_QUEUES");

      expect(await store.queues()).toEqual(["first", "second"]);
      expect(await claim(store, { queue: "third" })).toEqual([]);
      expect(await store.enqueue("second", newTasks(1))).toHaveLength(1);
    });

    test("tells that a queue is not empty any more, and that a task is scheduled", async ({ opened }) => {
      await opened.store.enqueue("now", newTasks(1));
      await opened.store.enqueue("later", [newTask("later", { delayMs: FAR_MS })]);

      expect(opened.events.readyQueues).toContain("now");
      expect(opened.events.readyQueues).not.toContain("later");
      expect(opened.events.scheduledIn.map(({ queue }) => queue)).toEqual(["later"]);
      const [scheduled] = opened.events.scheduledIn;
      expect(scheduled?.inMs).toBeGreaterThan(FAR_MS - 10_000);
      expect(scheduled?.inMs).toBeLessThanOrEqual(FAR_MS);
    });
  });

  describe("a caller's key", () => {
    test("is taken once, whatever the state of the task", async ({ store }) => {
      const key = callerKey("order-17");
      const again = () => store.enqueue(QUEUE, [newTask("another body", { key })]);

      expect(await store.enqueue(QUEUE, [newTask("first body", { key })])).toMatchObject([
        { kind: "created", key, state: "ready" },
      ]);
      expect(await again()).toMatchObject([{ kind: "existing", key, state: "ready" }]);

      const [held] = await claim(store);
      expect(held?.body.toString()).toBe("first body");
      expect(await again()).toMatchObject([{ kind: "existing", key, state: "active" }]);

      if (held) await settle(store, held, ack());
      expect(await again()).toMatchObject([{ kind: "existing", key, state: "completed" }]);
      expect(await claim(store)).toEqual([]);
      expect(await counters(store)).toMatchObject({ enqueued: 1, ready: 0, active: 0, completed: 1 });
    });

    test("of a scheduled task tells when it is due", async ({ store }) => {
      const task = newTask("later", { key: callerKey("later"), delayMs: FAR_MS });

      const [created] = await store.enqueue(QUEUE, [task]);
      const [existing] = await store.enqueue(QUEUE, [task]);

      expect(existing).toEqual({ ...created, kind: "existing" });
    });

    test("is taken once within one batch, and the others of the batch are added", async ({ store }) => {
      const key = callerKey("twice");

      const enqueued = await store.enqueue(QUEUE, [newTask("a", { key }), newTask("b"), newTask("c", { key })]);

      expect(enqueued.map(({ kind }) => kind)).toEqual(["created", "created", "existing"]);
      expect(textsOf(await claimAll(store))).toEqual(["a", "b"]);
    });

    test("is taken once by callers at the same time", async ({ store }) => {
      const key = callerKey("raced");

      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.enqueue(QUEUE, [newTask(`racer ${i}`, { key })])),
      );

      expect(answers.flat().filter(({ kind }) => kind === "created")).toHaveLength(1);
      expect(await claimAll(store)).toHaveLength(1);
    });

    test("belongs to its queue alone", async ({ store }) => {
      const key = callerKey("shared");

      await store.enqueue("one", [newTask("of one", { key })]);
      const [other] = await store.enqueue("two", [newTask("of two", { key })]);

      expect(other?.kind).toBe("created");
    });
  });

  describe("a producer's batch", () => {
    const producer: Producer = { id: "00ff00ff00ff00ff", sequence: 7 };

    test("adds nothing the second time, and gets the same answer", async ({ store }) => {
      const first = await store.enqueue(QUEUE, newTasks(200), producer);
      const second = await store.enqueue(QUEUE, newTasks(200), producer);

      expect(second).toEqual(first);
      expect(await claimAll(store)).toHaveLength(200);
      expect(await counters(store)).toMatchObject({ enqueued: 200 });
    });

    test("of plain and other tasks mixed gets the same answer too, also after the tasks went on", async ({ store }) => {
      const batch = [...newTasks(5), ...mixedBatch((await store.now()) + FAR_MS), ...newTasks(200, "more")];
      const first = await store.enqueue(QUEUE, batch, producer);
      const held = await claimAll(store);
      for (const one of held) await settle(store, one, ack());

      const second = await store.enqueue(QUEUE, batch, producer);

      expect(keysOf(second)).toEqual(keysOf(first));
      expect(second.map(({ kind }) => kind)).toEqual(first.map(({ kind }) => kind));
      expect(await claim(store)).toEqual([]);
      expect(await counters(store)).toMatchObject({ enqueued: batch.length });
    });

    test("is remembered until 64 later ones have come, also when they are sent again out of order", async ({
      store,
    }) => {
      const send = (sequence: number) =>
        store.enqueue(QUEUE, newTasks(2, `batch ${sequence}`), { ...producer, sequence });
      const sequences = Array.from({ length: 64 }, (_, i) => i + 1);

      const first = await Promise.all(sequences.map(send));
      const second = await Promise.all(sequences.reverse().map(send));

      expect(second.reverse().map(keysOf)).toEqual(first.map(keysOf));
      expect(await claimAll(store)).toHaveLength(128);
    });

    test("is not taken for one of another producer or queue", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(1), producer);
      await store.enqueue(QUEUE, newTasks(1), { ...producer, id: "00ff00ff00ff00fe" });
      await store.enqueue("other", newTasks(1), producer);

      expect(await claimAll(store)).toHaveLength(2);
      expect(await claimAll(store, { queue: "other" })).toHaveLength(1);
    });

    test("is remembered across a crash", async ({ opened }) => {
      const batch = [...newTasks(3), newTask("named", { key: callerKey("named") }), newTask("urgent", { priority: 5 })];
      const first = await opened.store.enqueue(QUEUE, batch, producer);

      const { store } = await opened.reopen();
      const second = await store.enqueue(QUEUE, batch, producer);

      expect(keysOf(second)).toEqual(keysOf(first));
      expect(await claimAll(store)).toHaveLength(5);
    });

    if (!backend.capabilities.shared) return;
    test("is remembered by every broker", async ({ opened }) => {
      const { store: other } = await opened.second();
      const batch = [...newTasks(3), newTask("urgent", { priority: 5 })];

      const [first, second] = await Promise.all([
        opened.store.enqueue(QUEUE, batch, producer),
        other.enqueue(QUEUE, batch, producer),
      ]);

      expect(keysOf(second)).toEqual(keysOf(first));
      expect(await claimAll(other)).toHaveLength(4);
    });
  });
}

function mixedBatch(runAtMs: number): NewTask[] {
  return [
    newTask("plain"),
    newTask("named", { key: callerKey("order-1") }),
    newTask("delayed", { delayMs: FAR_MS }),
    newTask("timed", { runAtMs }),
    newTask("urgent", { priority: 5 }),
    newTask("past", { runAtMs: 1_000 }),
  ];
}

function textsOfTasks(tasks: readonly NewTask[]): string[] {
  return tasks.map(({ body }) => Buffer.from(body).toString());
}
