import type { WorkerRecord } from "@taskwire/server/testing";
import { describe, expect } from "vitest";
import type { Backend } from "../backend.ts";
import type { StoreTest } from "../store-test.ts";

export function workersSuite(test: StoreTest, backend: Backend): void {
  describe("workers", () => {
    test("are listed as they were put", async ({ store }) => {
      expect(await store.workers()).toEqual([]);
      const workers = ["one", "two", "three"].map((name) => worker(name, store.brokerId));

      await store.putWorkers(workers);

      expect(sorted(await store.workers())).toEqual(sorted(workers));
    });

    test("are put again with what changed, and removed one by one", async ({ store }) => {
      const [one, two] = [worker("one", store.brokerId), worker("two", store.brokerId)];
      await store.putWorkers([one, two]);
      const stopping: WorkerRecord = { ...one, status: "stopping", inFlight: 0, holding: [] };

      await store.putWorkers([stopping]);
      await store.removeWorker(two.sessionId);
      await store.removeWorker("unheard-of");

      expect(await store.workers()).toEqual([stopping]);
    });

    test("that share an id are listed by session", async ({ store }) => {
      const one = worker("one", store.brokerId);
      const again = { ...one, sessionId: "another session" };

      await store.putWorkers([one, again]);
      await store.removeWorker(one.sessionId);

      expect(await store.workers()).toEqual([again]);
    });

    if (!backend.capabilities.shared) return;
    test("of all brokers are listed", async ({ opened }) => {
      const { store: other } = await opened.second();
      const workers = [worker("one", opened.store.brokerId), worker("two", other.brokerId)];

      await opened.store.putWorkers(workers.slice(0, 1));
      await other.putWorkers(workers.slice(1));

      expect(sorted(await opened.store.workers())).toEqual(sorted(workers));
      expect(sorted(await other.workers())).toEqual(sorted(workers));
    });
  });
}

function worker(name: string, brokerId: string): WorkerRecord {
  return {
    workerId: `host-${name}`,
    sessionId: `session-${name}`,
    brokerId,
    host: "host",
    sdk: "taskwire-js/0.1.0",
    labels: { zone: "a", größe: "L" },
    queues: [
      { queue: "emails", types: ["email", "a.b.C/Do"] },
      { queue: "images", types: [] },
    ],
    concurrency: 5,
    inFlight: 3,
    startedAtMs: Date.now() - 1_000,
    lastSeenAtMs: Date.now(),
    status: "active",
    holding: [{ queue: "emails", key: "=order-1", deliveredAtMs: Date.now() - 10 }],
  };
}

function sorted(workers: readonly WorkerRecord[]): WorkerRecord[] {
  return [...workers].sort((a, b) => a.sessionId.localeCompare(b.sessionId));
}
