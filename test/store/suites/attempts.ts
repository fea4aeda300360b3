import { callerKey, LIMITS, type NewTask, type Outcome, type Store, type TaskSnapshot } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import type { Backend } from "../backend.ts";
import type { StoreTest } from "../store-test.ts";
import {
  ack,
  bury,
  claimAll,
  claimOne,
  counters,
  discard,
  failure,
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
  WORKER,
} from "../tasks.ts";

const FORMS: readonly (readonly [string, NewTask])[] = [
  ["plain", newTask("the task")],
  ["prioritised", newTask("the task", { priority: 1 })],
  ["named", newTask("the task", { key: callerKey("order-1") })],
];

export function attemptsSuite(test: StoreTest, backend: Backend): void {
  describe.for(FORMS)("the attempts of a task that is %s", ([, task]) => {
    test("are none before the first has ended", async ({ store }) => {
      const held = await leaseOne(store, task);

      expect((await store.find(QUEUE, held.key))?.attempts).toEqual([]);
    });

    test.for([
      ["completed", ack("fine"), undefined],
      ["failed", retry(), failure()],
      ["failed", bury(), failure()],
      ["cancelled", discard(), failure()],
      ["lost", lose(1), failure("the worker was lost", { type: "worker_lost", stack: "" })],
    ] as const)("tell of one that %s", async ([outcome, settlement, expected], { store }) => {
      const before = await store.now();
      const held = await leaseOne(store, task);

      await settle(store, held, settlement);

      const attempts = (await store.find(QUEUE, held.key))?.attempts ?? [];
      const durationMs = outcome === "completed" ? 12 : 34;
      expect(attempts).toMatchObject([{ attempt: 1, outcome, durationMs, workerId: WORKER }]);
      const [{ failure: told, endedAtMs, waitMs } = { failure: undefined, endedAtMs: 0, waitMs: -1 }] = attempts;
      expect(told).toEqual(expected);
      const after = await store.now();
      expect(endedAtMs).toBeGreaterThanOrEqual(before);
      expect(endedAtMs).toBeLessThanOrEqual(after);
      expect(waitMs).toBeGreaterThanOrEqual(0);
      expect(waitMs).toBeLessThanOrEqual(after - before);
    });

    test("leave out what did not count: releases, snoozes, and what a broker lost", async ({ store }) => {
      let held = await leaseOne(store, task);
      for (const outcome of [release(), snooze(), lose(0)]) {
        await settle(store, held, outcome);
        held = await claimOne(store);
      }

      expect((await store.find(QUEUE, held.key))?.attempts).toEqual([]);
    });

    test("are all told in the end, newest first, with their numbers and errors", async ({ store }) => {
      const lost: Outcome = { kind: "lose", failure: failure("gone", { type: "worker_lost", workerId: "host-2" }) };
      const first: Outcome = {
        kind: "retry",
        delayMs: 0,
        failure: failure("first", { durationMs: 1, workerId: "host-1" }),
      };
      const third: Outcome = { kind: "retry", delayMs: 0, failure: failure("third", { stack: "" }) };

      const found = await live(store, task, [first, lost, release(), third, ack("fine")]);

      const brief = found?.attempts.map(({ attempt, outcome, failure: why, workerId }) => [
        attempt,
        outcome,
        why?.message,
        workerId,
      ]);
      expect(brief).toEqual([
        [3, "completed", undefined, WORKER],
        [2, "failed", "third", WORKER],
        [2, "lost", "gone", "host-2"],
        [1, "failed", "first", "host-1"],
      ]);
      expect(found?.attempts.map((attempt) => attempt.failure?.stack)).toEqual([
        undefined,
        "",
        failure().stack,
        failure().stack,
      ]);
      const times = found?.attempts.map(({ endedAtMs }) => endedAtMs) ?? [];
      expect(times).toEqual([...times].sort((a, b) => b - a));
    });

    test("that lost it are kept when its late ack counts", async ({ store }) => {
      const held = await leaseOne(store, task);
      await settle(store, held, lose(1));
      await settle(store, held, ack("late"));

      const found = await store.find(QUEUE, held.key);

      expect(found?.state).toBe("completed");
      expect(found?.attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
        [1, "completed"],
        [1, "lost"],
      ]);
    });

    test("are no more than are kept, the newest", async ({ store }) => {
      const kept = LIMITS.attemptsKept;
      const retries = Array.from({ length: kept + 5 }, (_, i): Outcome => {
        return { kind: "retry", delayMs: 0, failure: failure(`try ${i + 1}`) };
      });

      const found = await live(store, task, [...retries, bury("last try")]);

      const messages = found?.attempts.map((attempt) => attempt.failure?.message);
      const expected = Array.from({ length: kept - 1 }, (_, i) => `try ${kept + 5 - i}`);
      expect(messages).toEqual(["last try", ...expected]);
      expect(found).toMatchObject({ state: "dead", attempt: kept + 6 });
    });

    test("make room by their letters, the oldest first", async ({ store }) => {
      // Five of them fit, whatever else of a failure a store counts.
      const long = (i: number) => failure(`${i}`.padEnd(3_000, "m"), { stack: `${i}`.padEnd(3_500, "s") });
      const retries = Array.from({ length: 8 }, (_, i): Outcome => ({ kind: "retry", delayMs: 0, failure: long(i) }));

      const found = await live(store, task, [...retries, ack("fine")]);

      expect(found?.attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
        [9, "completed"],
        ...[8, 7, 6, 5, 4].map((attempt) => [attempt, "failed"]),
      ]);
      expect(found?.attempts[1]?.failure).toEqual(long(7));
    });

    test("keep the longest errors whole, with any letters", async ({ store }) => {
      const message = "„Größe“ 🚀\u0000\n".padEnd(LIMITS.errorMessageLength, "ö");
      const stack = "at größe (🚀.ts)\n".padEnd(LIMITS.errorStackLength, "\u2028");
      const type = "E".repeat(LIMITS.errorTypeLength);
      const worst = failure(message, { type, stack });

      const found = await live(store, task, [{ kind: "bury", failure: worst }]);

      expect(found?.attempts[0]?.failure).toEqual(worst);
      expect(found?.lastResult?.failure).toEqual(worst);
    });

    test("are kept when the store is opened again", async ({ opened }) => {
      const found = await live(opened.store, task, [retry(), lose(1), lose(0), retry(), ack("fine")]);
      expect(found?.attempts).toHaveLength(4);

      const { store } = await opened.reopen();

      expect((await store.find(QUEUE, found?.key ?? ""))?.attempts).toEqual(found?.attempts);
    });
  });

  describe("the attempts of the tasks of a block", () => {
    test("are each their own", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(64));
      const held = await claimAll(store);
      const outcomes: readonly Outcome[] = [ack(), bury("died"), discard(), lose(1), release()];
      await store.settle(
        QUEUE,
        held.map(({ lease, index }, i) => ({ lease, index, outcome: outcomes[i % 5] ?? ack() })),
      );
      await settleAll(store, await claimAll(store), retry(60_000));

      const expected = [["completed"], ["failed"], ["cancelled"], ["failed", "lost"], ["failed"]];
      for (const [i, { key }] of held.entries()) {
        const attempts = (await store.find(QUEUE, key))?.attempts;
        expect(
          attempts?.map(({ outcome }) => outcome),
          `task ${i}`,
        ).toEqual(expected[i % 5]);
      }
    });

    test("are counted once, however often a settlement is sent", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(4));
      const held = await claimAll(store);
      for (const [i, outcome] of [ack(), bury(), discard(), lose(1)].entries()) {
        for (let sent = 0; sent < 3; sent++) await settleAll(store, held.slice(i, i + 1), outcome);
      }

      for (const { key } of held) expect((await store.find(QUEUE, key))?.attempts).toHaveLength(1);
      expect(await counters(store)).toMatchObject({ lost: 1, completed: 1, failed: 2 });
    });
  });

  if (!backend.capabilities.shared) return;
  test("the attempts of a task are told by any broker, whichever settled them", async ({ opened }) => {
    const { store: other } = await opened.second();
    const held = await leaseOne(opened.store);
    await settle(other, held, retry());
    await settle(opened.store, await claimOne(other), lose(1));
    await settle(other, await claimOne(opened.store), ack("fine"));

    const [mine, theirs] = await Promise.all([opened.store.find(QUEUE, held.key), other.find(QUEUE, held.key)]);

    expect(mine?.attempts.map(({ outcome }) => outcome)).toEqual(["completed", "lost", "failed"]);
    expect(theirs?.attempts).toEqual(mine?.attempts);
  });
}

/** Claims the task again and again and settles it in these ways; gives what is known of it then. */
async function live(store: Store, task: NewTask, outcomes: readonly Outcome[]): Promise<TaskSnapshot | undefined> {
  await store.enqueue(QUEUE, [task]);
  let key = "";
  for (const outcome of outcomes) {
    const held = await claimOne(store);
    expect(await settle(store, held, outcome)).toBe("settled");
    key = held.key;
  }
  return store.find(QUEUE, key);
}
