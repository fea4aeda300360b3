import { callerKey, type EnqueueRate, type NewTask, type Store, TaskwireError } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import { until } from "../../support/until.ts";
import type { Backend } from "../backend.ts";
import type { StoreTest } from "../store-test.ts";
import { claimAll, counters, FAR_MS, newTask, newTasks, policy, QUEUE, textsOf } from "../tasks.ts";

/** So slow that nothing is given back while a test runs. */
const SLOW = 0.001;
const MANY_CALLS = 1_000;
const SLOW_INTERVAL_MS = 1_000 / SLOW;

export function rateSuite(test: StoreTest, backend: Backend): void {
  describe("enqueue at a limited rate", () => {
    test("takes as many as the burst, and then none", async ({ store }) => {
      await limit(store, { perSecond: SLOW, burst: 5 });

      const answers: Answer[] = [];
      for (let i = 0; i < 8; i++) answers.push(await tryEnqueue(store, newTasks(1, `call ${i}`)));

      expect(answers.map(({ code }) => code)).toEqual([...Array(5).fill("taken"), ...Array(3).fill("RATE_LIMITED")]);
      expect(textsOf(await claimAll(store))).toHaveLength(5);
      expect(await counters(store)).toMatchObject({ enqueued: 5 });
    });

    test("tells how long to wait, and that nothing was done", async ({ store }) => {
      await limit(store, { perSecond: SLOW, burst: 5 });
      await store.enqueue(QUEUE, newTasks(4));

      for (const [count, missing] of [
        [2, 1],
        [3, 2],
        [5, 4],
      ] as const) {
        const { code, error } = await tryEnqueue(store, newTasks(count));
        expect(code).toBe("RATE_LIMITED");
        expect(error?.effect).toBe("none");
        expect(error?.details.retryAfterMs).toBeLessThanOrEqual(missing * SLOW_INTERVAL_MS);
        // A machine that is busy may take some seconds for this test.
        expect(error?.details.retryAfterMs).toBeGreaterThan(missing * SLOW_INTERVAL_MS - 60_000);
      }

      expect(await tryEnqueue(store, newTasks(1)), "what was refused was not charged").toMatchObject({ code: "taken" });
    });

    test("takes all of a call or nothing", async ({ store }) => {
      await limit(store, { perSecond: SLOW, burst: 10 });

      expect((await tryEnqueue(store, newTasks(7))).code).toBe("taken");
      expect((await tryEnqueue(store, newTasks(4))).code).toBe("RATE_LIMITED");
      expect((await tryEnqueue(store, newTasks(3))).code).toBe("taken");
      expect((await tryEnqueue(store, newTasks(1))).code).toBe("RATE_LIMITED");

      expect(await claimAll(store)).toHaveLength(10);
    });

    test("takes or refuses each call of one tick by itself, in order", async ({ store }) => {
      await limit(store, { perSecond: SLOW, burst: 5 });

      const answers = await Promise.all(
        [3, 3, 1, 2, 1, 1].map((count, i) => tryEnqueue(store, newTasks(count, `call ${i}`))),
      );

      const [taken, limited] = ["taken", "RATE_LIMITED"];
      expect(answers.map(({ code }) => code)).toEqual([taken, limited, taken, limited, taken, limited]);
      const texts = ["call 0 0", "call 0 1", "call 0 2", "call 2 0", "call 4 0"];
      expect(textsOf(await claimAll(store))).toEqual(texts);
    });

    test("refuses what is larger than the burst, and says that it never will be taken", async ({ store }) => {
      await limit(store, { perSecond: 1_000, burst: 5 });

      const { code, error } = await tryEnqueue(store, newTasks(6));

      expect(code).toBe("BATCH_ABOVE_BURST");
      expect(error?.effect).toBe("none");
      expect((await tryEnqueue(store, newTasks(5))).code).toBe("taken");
    });

    test("takes as much again after the time to wait, and no more", async ({ store }) => {
      const intervalMs = 60;
      await limit(store, { perSecond: 1_000 / intervalMs, burst: 3 });
      const start = await store.now();
      await store.enqueue(QUEUE, newTasks(3));
      let taken = 3;

      for (let i = 0; i < 4; i++) {
        const { error } = await untilRefused(store, () => taken++);
        const waitMs = error?.details.retryAfterMs ?? 0;
        expect(waitMs).toBeGreaterThan(0);
        expect(waitMs).toBeLessThanOrEqual(intervalMs);
        const from = await store.now();
        await until("the time to wait is over", async () => (await store.now()) >= from + waitMs);
        expect((await tryEnqueue(store, newTasks(1))).code).toBe("taken");
        taken++;
        // One more may be earned by the millisecond in which the clock stands.
        const earned = Math.floor(((await store.now()) + 1 - start) / intervalMs);
        expect(taken, "never more than the burst and what was earned").toBeLessThanOrEqual(3 + earned);
      }
    });

    test("never saves up more than the burst", async ({ store }) => {
      const intervalMs = 40;
      await limit(store, { perSecond: 1_000 / intervalMs, burst: 2 });
      await store.enqueue(QUEUE, newTasks(2));
      const start = await store.now();
      await until("four bursts would have been earned", async () => (await store.now()) >= start + 8 * intervalMs);

      const before = await store.now();
      let taken = 0;
      await untilRefused(store, () => taken++);

      const earned = Math.floor(((await store.now()) + 1 - before) / intervalMs);
      expect(taken).toBeLessThanOrEqual(2 + earned);
      expect(taken).toBeGreaterThanOrEqual(2);
    });

    test("counts all kinds of tasks, a known caller's key among them", async ({ store }) => {
      await limit(store, { perSecond: SLOW, burst: 5 });
      const named = newTask("named", { key: callerKey("order-1") });

      expect((await tryEnqueue(store, [named, newTask("far", { delayMs: FAR_MS })])).code).toBe("taken");
      expect((await tryEnqueue(store, [named, newTask("urgent", { priority: 1 })])).code).toBe("taken");
      expect((await tryEnqueue(store, [named])).code).toBe("taken");
      expect((await tryEnqueue(store, [named])).code).toBe("RATE_LIMITED");

      expect(await counters(store)).toMatchObject({ enqueued: 3 });
    });

    test("takes nothing for a batch that is sent again", async ({ store }) => {
      await limit(store, { perSecond: SLOW, burst: 10 });
      const send = (sequence: number, count: number) =>
        tryEnqueue(store, newTasks(count, `batch ${sequence}`), { id: "00ff00ff00ff00ff", sequence });
      const first = await send(1, 6);

      expect(await send(1, 6)).toEqual(first);
      const refused = await send(2, 5);
      expect(refused.code).toBe("RATE_LIMITED");
      expect((await send(3, 4)).code).toBe("taken");
      expect(await send(1, 6), "also when there is nothing left").toEqual(first);
      await limit(store, { perSecond: SLOW, burst: 5 });
      expect(await send(1, 6), "also when it is larger than the burst is now").toEqual(first);
      expect((await send(2, 5)).code, "what was refused had no effect").toBe("taken");

      expect(await claimAll(store)).toHaveLength(15);
    });

    test("does not hold up other queues, nor claims", async ({ store }) => {
      await limit(store, { perSecond: SLOW, burst: 1 });
      await store.enqueue(QUEUE, newTasks(1));
      expect((await tryEnqueue(store, newTasks(1))).code).toBe("RATE_LIMITED");

      expect(await store.enqueue("other", newTasks(100))).toHaveLength(100);
      expect(await claimAll(store)).toHaveLength(1);
    });
  });

  describe("a limit", () => {
    test("holds from the moment it is set, and begins with its whole burst when it is changed", async ({ store }) => {
      await store.enqueue(QUEUE, newTasks(50));
      for (const burst of [3, 7, 2]) {
        await limit(store, { perSecond: SLOW, burst });
        let taken = 0;
        await untilRefused(store, () => taken++);
        expect(taken).toBe(burst);
      }

      await limit(store, { perSecond: 500, burst: 2 });
      const start = await store.now();
      let taken = 0;
      await until("it takes at the new rate", async () => {
        if ((await tryEnqueue(store, newTasks(1))).code === "taken") taken++;
        return taken >= 10;
      });
      expect(taken).toBeLessThanOrEqual(2 + Math.floor(((await store.now()) + 1 - start) / 2));
    });

    test("that is set again as it was, or kept by another change, is not filled up", async ({ store }) => {
      const rate = { perSecond: SLOW, burst: 3 };
      await limit(store, rate);
      await store.enqueue(QUEUE, newTasks(2));

      await limit(store, rate);
      await store.steer(QUEUE, { paused: true });
      await store.steer(QUEUE, { paused: false });

      expect((await tryEnqueue(store, newTasks(2))).code).toBe("RATE_LIMITED");
      expect((await tryEnqueue(store, newTasks(1))).code).toBe("taken");
      expect((await tryEnqueue(store, newTasks(1))).code).toBe("RATE_LIMITED");
    });

    test("that is taken away holds no more", async ({ store }) => {
      await limit(store, { perSecond: SLOW, burst: 1 });
      await store.enqueue(QUEUE, newTasks(1));

      await store.steer(QUEUE, { enqueueRate: undefined });

      expect(await store.enqueue(QUEUE, newTasks(1_000))).toHaveLength(1_000);
      expect(await policy(store)).toEqual({ paused: false, enqueueRate: undefined });
    });

    test("of a million a second does not round", async ({ store }) => {
      await limit(store, { perSecond: 1_000_000, burst: 1_000 });
      const start = await store.now();
      for (let i = 0; i < 20; i++) {
        const { code, error } = await tryEnqueue(store, newTasks(1_000));
        if (code !== "taken") expect(error?.details.retryAfterMs).toBe(1);
        await until(
          "a millisecond has passed",
          async () => (await tryEnqueue(store, newTasks(1_000))).code === "taken",
        );
      }
      const { enqueued } = await counters(store);
      expect(enqueued).toBeGreaterThanOrEqual(20_000);
      expect(enqueued).toBeLessThanOrEqual(1_000 + ((await store.now()) + 1 - start) * 1_000);
    });

    test("and what was used of it are kept when the store is opened again", async ({ opened }) => {
      await limit(opened.store, { perSecond: SLOW, burst: 3 });
      await opened.store.enqueue(QUEUE, newTasks(2));

      const { store } = await opened.reopen();

      expect((await tryEnqueue(store, newTasks(1))).code).toBe("taken");
      expect((await tryEnqueue(store, newTasks(1))).code).toBe("RATE_LIMITED");
    });
  });

  if (!backend.capabilities.shared) return;
  describe("a limit over several brokers", () => {
    test("admits exactly the burst of all calls that are made at once", async ({ opened }) => {
      const { store: other } = await opened.second();
      const { store: third } = await opened.second();
      await limit(opened.store, { perSecond: SLOW, burst: 40 });

      const stores = [opened.store, other, third];
      const calls = Array.from({ length: 120 }, (_, i) => tryEnqueue(stores[i % 3] ?? other, newTasks(1, `call ${i}`)));
      const answers = await Promise.all(calls);

      expect(answers.filter(({ code }) => code === "taken")).toHaveLength(40);
      expect(answers.filter(({ code }) => code === "RATE_LIMITED")).toHaveLength(80);
      expect(await counters(other)).toMatchObject({ enqueued: 40, ready: 40 });
    });

    test("is changed and taken away for all of them at once", async ({ opened }) => {
      const { store: other } = await opened.second();
      await other.enqueue(QUEUE, newTasks(1));

      await limit(opened.store, { perSecond: SLOW, burst: 2 });
      expect((await tryEnqueue(other, newTasks(3))).code).toBe("BATCH_ABOVE_BURST");
      expect((await tryEnqueue(other, newTasks(2))).code).toBe("taken");
      expect((await tryEnqueue(opened.store, newTasks(1))).code).toBe("RATE_LIMITED");

      await other.steer(QUEUE, { enqueueRate: undefined });
      expect((await tryEnqueue(opened.store, newTasks(100))).code).toBe("taken");
    });
  });
}

interface Answer {
  readonly code: "taken" | TaskwireError["code"];
  readonly keys: readonly string[];
  readonly error: TaskwireError | undefined;
}

async function tryEnqueue(
  store: Store,
  tasks: readonly NewTask[],
  producer?: Parameters<Store["enqueue"]>[2],
): Promise<Answer> {
  try {
    const enqueued = await store.enqueue(QUEUE, tasks, producer);
    return { code: "taken", keys: enqueued.map(({ key }) => key), error: undefined };
  } catch (error) {
    if (!(error instanceof TaskwireError)) throw error;
    return { code: error.code, keys: [], error };
  }
}

/** Enqueues one task after the other until one is refused for its rate. */
async function untilRefused(store: Store, onTaken: () => void): Promise<Answer> {
  for (let calls = 0; calls < MANY_CALLS; calls++) {
    const answer = await tryEnqueue(store, newTasks(1));
    if (answer.code !== "taken") {
      expect(answer.code).toBe("RATE_LIMITED");
      return answer;
    }
    onTaken();
  }
  throw new Error(`${MANY_CALLS} tasks were taken, and none was refused`);
}

async function limit(store: Store, enqueueRate: EnqueueRate): Promise<void> {
  await store.steer(QUEUE, { enqueueRate });
}
