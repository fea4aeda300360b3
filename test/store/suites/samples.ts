import { randomBytes } from "node:crypto";
import { SAMPLE_MS, SAMPLES_KEPT, type Sample, type Store } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import type { Backend } from "../backend.ts";
import type { StoreTest } from "../store-test.ts";
import { newTask, QUEUE } from "../tasks.ts";

export function samplesSuite(test: StoreTest, backend: Backend): void {
  describe("samples", () => {
    test("are none at first", async ({ store }) => {
      expect(await store.samples()).toEqual([]);
    });

    test("are told by slot, byte for byte, whatever the order in which they came", async ({ store }) => {
      const now = await slotNow(store);
      const put = [-3, 0, -200, -1].map((age) => sample("broker-a", now + age));
      for (const one of put) await store.putSample(one);

      expect(await told(store)).toEqual(put.toSorted((a, b) => a.slot - b.slot));
    });

    test("are kept for each broker, and replaced by its next for the same slot", async ({ store }) => {
      const now = await slotNow(store);
      await store.putSample(sample("broker-a", now));
      const theirs = sample("broker-b", now);
      await store.putSample(theirs);
      const again = { ...sample("broker-a", now), bytes: Buffer.alloc(0) };

      await store.putSample(again);

      const samples = await told(store);
      expect(samples.toSorted((a, b) => a.brokerId.localeCompare(b.brokerId))).toEqual([again, theirs]);
    });

    test("of slots that are too old are not told, and take no room", async ({ store }) => {
      const now = await slotNow(store);
      await store.putSample(sample("broker-a", now - SAMPLES_KEPT - 10));
      const kept = sample("broker-a", now - SAMPLES_KEPT + 10);
      await store.putSample(kept);
      await store.putSample(sample("broker-b", now - 2 * SAMPLES_KEPT));

      expect(await told(store)).toEqual([kept]);
    });

    test("of a whole hour of several brokers are told", async ({ store }) => {
      const now = await slotNow(store);
      const brokers = ["broker-a", "broker-b", "broker-c"];
      const put: Promise<void>[] = [];
      for (let age = SAMPLES_KEPT - 10; age >= 0; age--) {
        for (const broker of brokers) put.push(store.putSample(sample(broker, now - age, 500)));
      }
      await Promise.all(put);

      const samples = await store.samples();

      expect(samples).toHaveLength(3 * (SAMPLES_KEPT - 9));
      const slots = samples.map(({ slot }) => slot);
      expect(slots).toEqual([...slots].sort((a, b) => a - b));
    });

    test("are kept when the store is opened again", async ({ opened }) => {
      const now = await slotNow(opened.store);
      const put = [sample("broker-a", now - 5), sample("broker-a", now)];
      for (const one of put) await opened.store.putSample(one);

      const { store } = await opened.reopen();

      expect(await told(store)).toEqual(put);
    });

    if (!backend.capabilities.shared) return;
    test("are told by every broker", async ({ opened }) => {
      const { store: other } = await opened.second();
      const now = await slotNow(opened.store);
      const put = [sample(opened.store.brokerId, now - 1), sample(other.brokerId, now)];
      if (put[0]) await opened.store.putSample(put[0]);
      if (put[1]) await other.putSample(put[1]);

      expect(await told(other)).toEqual(put);
      expect(await told(opened.store)).toEqual(put);
    });
  });

  describe("usedBytes", () => {
    test("is more than nothing, and not less with more tasks", async ({ store }) => {
      const before = await store.usedBytes();
      expect(before).toBeGreaterThan(0);

      const body = Buffer.alloc(1024 * 1024);
      for (let i = 0; i < 8; i++) await store.enqueue(QUEUE, [newTask("", { body })]);

      expect(await store.usedBytes()).toBeGreaterThan(before + 4 * 1024 * 1024);
    });
  });
}

async function slotNow(store: Store): Promise<number> {
  return Math.floor((await store.now()) / SAMPLE_MS);
}

function sample(brokerId: string, slot: number, size = 60): Sample {
  return { brokerId, slot, bytes: randomBytes(size) };
}

/** With bytes that can be compared. */
async function told(store: Store): Promise<Sample[]> {
  return (await store.samples()).map((one) => ({ ...one, bytes: Buffer.from(one.bytes) }));
}
