import { type NewTask, type Store, TaskwireError } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import { until } from "../../support/until.ts";
import type { Backend } from "../backend.ts";
import type { StoreTest } from "../store-test.ts";
import { ack, claim, claimAll, counters, type Held, newTasks, QUEUE, settleAll, textsOf } from "../tasks.ts";

const BATCHES = 400;
const BATCH = 25;

/** A server that is killed and comes back while brokers use it. */
export function outageSuite(test: StoreTest, backend: Backend): void {
  if (!backend.capabilities.durableLeases) return;
  describe("a server that is killed amid calls", () => {
    test("loses nothing that was acknowledged, and takes nothing twice", { timeout: 60_000 }, async ({ opened }) => {
      const { store } = opened;
      const { store: other } = await opened.second();
      const failures: TaskwireError[] = [];
      const state = { enqueued: 0, isDone: false };

      const traffic = [enqueueAll(store, state, failures), settleUntilDone(store, state, failures)];
      await until("some batches are in", () => state.enqueued > BATCHES / 10);
      expect(state.isDone, "there is traffic when the server dies").toBe(false);
      await opened.reopen();
      const [, acknowledged] = await Promise.all(traffic);

      // A store may fail calls while its server is away, or make them wait.
      for (const { code } of failures) expect(code).toBe("STORE_UNAVAILABLE");
      // What a claim took whose answer was lost is given back when its broker stops.
      await opened.close();
      const rest = await claimAll(other);
      const texts = [...textsOf(acknowledged ?? []), ...textsOf(rest)];
      expect(new Set(texts).size, "every task once").toBe(BATCHES * BATCH);
      expect(texts, "no task twice").toHaveLength(BATCHES * BATCH);
      await settleAll(other, rest, ack());
      expect(await counters(other)).toMatchObject({
        enqueued: BATCHES * BATCH,
        completed: BATCHES * BATCH,
        ready: 0,
        active: 0,
      });
    });
  });

  describe("a server that is back", () => {
    test("serves claims, wake-ups and waiting callers as before", { timeout: 60_000 }, async ({ opened }) => {
      const { store, events } = opened;
      const [waited] = await store.enqueue(QUEUE, newTasks(1));
      const ended = store.untilEnded(QUEUE, waited?.key ?? "", new AbortController().signal);
      const { store: other, events: heard } = await opened.second();

      await opened.reopen();

      await until("it is told that the store can be reached", () => events.availability.at(-1) ?? true);
      await until("the other broker can work as well", () => other.stats([QUEUE]).catch(() => false));
      await settleAll(other, await claimAll(other), ack());
      expect((await ended)?.state).toBe("completed");
      heard.readyQueues.length = 0;
      await until("the other broker is woken", async () => {
        await store.enqueue(QUEUE, newTasks(1));
        await claimAll(store);
        return heard.readyQueues.includes(QUEUE);
      });
    });
  });
}

interface Traffic {
  enqueued: number;
  isDone: boolean;
}

/** Enqueues batch after batch; what failed is sent again as the same batch. */
async function enqueueAll(store: Store, state: Traffic, failures: TaskwireError[]): Promise<Held[]> {
  for (let sequence = 1; sequence <= BATCHES; sequence++) {
    const tasks: readonly NewTask[] = newTasks(BATCH, `batch ${sequence}`);
    await insist(() => store.enqueue(QUEUE, tasks, { id: "00ff00ff00ff00ff", sequence }), failures);
    state.enqueued++;
  }
  state.isDone = true;
  return [];
}

/** Claims and acknowledges; resolves with what was acknowledged. */
async function settleUntilDone(store: Store, state: Traffic, failures: TaskwireError[]): Promise<Held[]> {
  const acknowledged: Held[] = [];
  while (!state.isDone) {
    const held = await insist(() => claim(store, { maxTasks: 40 }), failures);
    if (held.length === 0) continue;
    const answers = await insist(() => settleAll(store, held, ack()), failures);
    expect(new Set(answers)).toEqual(new Set(["settled"]));
    acknowledged.push(...held);
  }
  return acknowledged;
}

/** Calls until it works. */
async function insist<T>(call: () => Promise<T>, failures: TaskwireError[]): Promise<T> {
  const answer = await until(
    "a call works",
    async () => {
      try {
        return { value: await call() };
      } catch (error) {
        if (!(error instanceof TaskwireError)) throw error;
        failures.push(error);
        return undefined;
      }
    },
    { withinMs: 30_000 },
  );
  return answer.value;
}
