import type { Store } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import { until } from "../../support/until.ts";
import type { Backend } from "../backend.ts";
import type { StoreFixtures, StoreTest } from "../store-test.ts";
import {
  ack,
  claim,
  claimAll,
  counters,
  keysOf,
  newTask,
  newTasks,
  QUEUE,
  release,
  settle,
  settleAll,
} from "../tasks.ts";

/** Long enough for a machine that is busy with other things: a broker that renews in time must not be given up. */
const TIMEOUT_MS = 1_000;

export function brokersSuite(test: StoreTest, backend: Backend): void {
  describe("a broker", () => {
    test("that renews is alive, keeps its id, and nothing of it is reaped", async ({ open }) => {
      const { store } = await open({ brokerTimeoutMs: TIMEOUT_MS });
      const id = store.brokerId;
      await store.enqueue(QUEUE, newTasks(5));
      const held = await claimAll(store);
      const start = await store.now();

      await until("twice its timeout has passed", async () => {
        expect(await store.renew()).toBe("alive");
        expect(await store.reap()).toBe(0);
        return (await store.now()) > start + 2 * TIMEOUT_MS;
      });

      expect(store.brokerId).toBe(id);
      expect(await store.brokers()).toBe(1);
      expect(new Set(await settleAll(store, held, ack()))).toEqual(new Set(["settled"]));
    });
  });

  if (!backend.capabilities.shared) return;
  describe("a broker among others", () => {
    test("that falls silent loses its leases, no sooner than its timeout, and no task is counted as lost", async ({
      open,
    }) => {
      const { silent, other } = await silentBroker(open);
      await silent.enqueue(QUEUE, [...newTasks(200), newTask("urgent", { priority: 1 })]);
      await silent.enqueue("images", newTasks(3));
      const before = await silent.now();
      await silent.renew();
      const held = [...(await claimAll(silent)), ...(await claimAll(silent, { queue: "images" }))];

      await reapAll(other, held.length);

      expect(await other.now()).toBeGreaterThanOrEqual(before + TIMEOUT_MS);
      expect(await other.brokers()).toBe(1);
      const again = [...(await claimAll(other)), ...(await claimAll(other, { queue: "images" }))];
      expect(keysOf(again).sort()).toEqual(keysOf(held).sort());
      for (const { grant } of again) expect(grant).toMatchObject({ attempt: 1, lostCount: 0, broker: other.brokerId });
      expect(await counters(other)).toMatchObject({ ready: 0, active: 201, lost: 0 });
    });

    test("finds a task that goes from one to the other all the time, and cancels it", async ({ open }) => {
      const opened = await open();
      const others = [await opened.second(), await opened.second(), await opened.second()];
      const [key = ""] = keysOf(await opened.store.enqueue(QUEUE, newTasks(1)));
      let isOver = false;
      const handOn = async ({ store }: { readonly store: Store }) => {
        while (!isOver) await settleAll(store, await claim(store), release());
      };
      const handingOn = Promise.all(others.map(handOn));

      const states = new Set<string | undefined>();
      for (let looks = 0; looks < 100; looks++) states.add((await opened.store.find(QUEUE, key))?.state);
      const cancelled = await opened.store.cancel(QUEUE, key, "");
      isOver = true;
      await handingOn;

      expect(["active", "ready"]).toEqual(expect.arrayContaining([...states]));
      expect(cancelled.kind).toBe("cancelled");
    });

    test("that was given up is fenced, goes on under a new id, and its old leases are stale", async ({ open }) => {
      const { silent, other } = await silentBroker(open);
      await silent.enqueue(QUEUE, newTasks(10));
      const held = await claimAll(silent);
      const id = silent.brokerId;
      await reapAll(other, 10);
      const again = await claimAll(other);

      expect(new Set(await settleAll(silent, held, ack()))).toEqual(new Set(["stale"]));
      expect(await silent.renew()).toBe("fenced");

      expect(silent.brokerId).not.toBe(id);
      expect(await silent.renew()).toBe("alive");
      expect(await silent.brokers()).toBe(2);
      expect(new Set(await settleAll(other, again, ack()))).toEqual(new Set(["settled"]));
      await silent.enqueue(QUEUE, newTasks(1));
      const [fresh] = await claim(silent);
      expect(fresh?.lease.broker).toBe(silent.brokerId);
      expect(fresh && (await settle(silent, fresh, ack()))).toBe("settled");
    });

    test("that was given up may still acknowledge what nobody claimed again", async ({ open }) => {
      const { silent, other } = await silentBroker(open);
      await silent.enqueue(QUEUE, newTasks(10));
      const held = await claimAll(silent);
      await reapAll(other, 10);

      expect(new Set(await settleAll(other, held.slice(0, 4), ack()))).toEqual(new Set(["settled"]));

      expect(await claimAll(other)).toHaveLength(6);
      expect(await counters(other)).toMatchObject({ completed: 4, active: 6, ready: 0 });
    });

    test("is reaped once, however many do it at the same time", async ({ open }) => {
      const { silent, other, opened } = await silentBroker(open);
      const { store: third } = await opened.second();
      await silent.enqueue(QUEUE, newTasks(500));
      const held = await claimAll(silent, { maxTasks: 9 });

      let reaped = 0;
      await until("all is reaped", async () => {
        await Promise.all([other.renew(), third.renew()]);
        const counts = await Promise.all([other.reap(), third.reap(), other.reap()]);
        reaped += counts.reduce((sum, count) => sum + count, 0);
        return reaped >= held.length;
      });

      expect(reaped).toBe(500);
      expect(await counters(other)).toMatchObject({ ready: 500, active: 0 });
      expect(await claimAll(other)).toHaveLength(500);
    });

    test("that has settled part of a block loses the rest only", async ({ open }) => {
      const { silent, other } = await silentBroker(open);
      await silent.enqueue(QUEUE, newTasks(100));
      const held = await claimAll(silent);
      const settled = held.filter((_, i) => i % 3 === 0);
      await settleAll(silent, settled, ack());

      await reapAll(other, 66);

      const again = await claimAll(other);
      const rest = held.filter((_, i) => i % 3 !== 0);
      expect(keysOf(again).sort()).toEqual(keysOf(rest).sort());
      for (const { key, body } of again)
        expect(body.toString()).toBe(rest.find((one) => one.key === key)?.body.toString());
    });

    test("that stops gives its leases back at once", async ({ opened }) => {
      const leaving = await opened.second();
      await opened.store.enqueue(QUEUE, newTasks(150));
      const held = await claimAll(leaving.store);
      expect(await opened.store.brokers()).toBe(2);
      opened.events.readyQueues.length = 0;

      await leaving.close();

      expect(await opened.store.brokers()).toBe(1);
      const again = await claimAll(opened.store);
      expect(keysOf(again).sort()).toEqual(keysOf(held).sort());
      for (const { grant } of again) expect(grant.lostCount).toBe(0);
      expect(await counters(opened.store)).toMatchObject({ lost: 0, active: 150 });
      await until("the others hear of it", () => opened.events.readyQueues.includes(QUEUE));
    });
  });
}

/** Two brokers, of which one will not renew. */
async function silentBroker(open: StoreFixtures["open"]) {
  const opened = await open({ brokerTimeoutMs: TIMEOUT_MS });
  const { store: other } = await opened.second();
  return { opened, silent: opened.store, other };
}

/** Renews `store`, and reaps with it, until it has taken back that many tasks. */
async function reapAll(store: Store, count: number): Promise<void> {
  let reaped = 0;
  await until(`${count} tasks are reaped`, async () => {
    await store.renew();
    reaped += await store.reap();
    return reaped >= count;
  });
  expect(reaped).toBe(count);
}
