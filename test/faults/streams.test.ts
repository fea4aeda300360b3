/** Streams that are cut, workers that freeze, and tasks that kill. Deaths under load, on both stores: faults.test.ts. */
import { TaskState } from "@taskwire/proto";
import { describe, expect } from "vitest";
import { until } from "../support/until.ts";
import { audit, countersOf } from "./audit.ts";
import { faultTest as test } from "./fault-test.ts";

describe("a stream that is cut", () => {
  test("before the ack arrived: the task is done once", async ({
    queue,
    startBroker,
    startProxy,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const broker = await startBroker();
    const rpc = connectTo(broker);
    const proxy = await startProxy(broker.address);
    const worker = await startWorker({ addresses: [proxy.address], concurrency: 10, holds: true });
    const ids = await produce(broker, { count: 10, ms: 0 });
    await worker.untilTold("started", 10);

    proxy.hold("to broker");
    worker.letGo();
    // Its acks go nowhere: the broker knows of none.
    await worker.untilTold("handled", 10);
    expect((await countersOf(rpc, queue))?.completed).toBe(0);
    proxy.cut();

    await audit(rpc, { queue, ids, workers });
  });

  test("after the ack was committed: the worker hears so when it settles again", async ({
    queue,
    startBroker,
    startProxy,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const broker = await startBroker();
    const rpc = connectTo(broker);
    const proxy = await startProxy(broker.address);
    const worker = await startWorker({ addresses: [proxy.address], concurrency: 10, holds: true });
    const ids = await produce(broker, { count: 10, ms: 0 });
    await worker.untilTold("started", 10);

    proxy.hold("from broker");
    worker.letGo();
    await until("all acks are committed", async () => (await countersOf(rpc, queue))?.completed === 10);
    expect(worker.ofKind("settled"), "no answer came through").toEqual([]);
    proxy.cut();

    await worker.untilTold("settled", 10);
    expect(worker.ofKind("refused")).toEqual([]);
    expect(worker.ofKind("started"), "none was done again").toHaveLength(10);
    expect(await audit(rpc, { queue, ids, workers })).toMatchObject({ dequeued: 10, lost: 0 });
  });
});

describe("a worker that is frozen", () => {
  test("beyond its session timeout: its late acks change nothing", async ({
    queue,
    startBroker,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const broker = await startBroker();
    const rpc = connectTo(broker);
    const frozen = await startWorker({
      addresses: [broker.address],
      concurrency: 5,
      sessionTimeoutMs: 2_000,
      freezesAfter: 5,
    });
    const ids = await produce(broker, { count: 5, ms: 0 });
    await frozen.untilTold("started", 5);
    const heir = await startWorker({ addresses: [broker.address], concurrency: 5 });
    await heir.untilTold("settled", 5);

    frozen.resume();
    await frozen.untilTold("refused", 5);

    expect(frozen.ofKind("settled")).toEqual([]);
    const counters = await audit(rpc, { queue, ids, workers });
    expect(counters).toMatchObject({ dequeued: 10, failed: 0, lost: 5 });
  });

  test("beyond the timeout of its tasks: its late acks change nothing", async ({
    queue,
    startBroker,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const broker = await startBroker();
    const rpc = connectTo(broker);
    // Its session outlives the test: the broker must not give it the tasks again.
    const frozen = await startWorker({
      addresses: [broker.address],
      concurrency: 5,
      sessionTimeoutMs: 120_000,
      freezesAfter: 5,
    });
    const ids = await produce(broker, { count: 5, ms: 0, timeoutMs: 1_000 });
    await frozen.untilTold("started", 5);
    const heir = await startWorker({ addresses: [broker.address], concurrency: 5 });
    await heir.untilTold("settled", 5);

    frozen.resume();
    await frozen.untilTold("refused", 5);

    expect(heir.ofKind("settled").map(({ attempt }) => attempt)).toEqual([2, 2, 2, 2, 2]);
    const counters = await audit(rpc, { queue, ids, workers });
    expect(counters).toMatchObject({ dequeued: 10, failed: 5, retried: 5, lost: 0 });
    expect(frozen.ofKind("settled")).toEqual([]);
  });
});

describe("a task that kills its workers", () => {
  test("is dead after max_lost, and says why", { timeout: 90_000 }, async ({
    startBroker,
    startWorker,
    connectTo,
    produce,
  }) => {
    const broker = await startBroker({ maxLost: 2 });
    const rpc = connectTo(broker);
    const [id = ""] = await produce(broker, { count: 1, ms: 0, deadly: true });

    for (let deaths = 1; deaths <= 3; deaths++) {
      const worker = await startWorker({ addresses: [broker.address], concurrency: 1 });
      await until("it has died of it", () => !worker.isRunning());
      const expected = deaths <= 2 ? { state: TaskState.READY, lostCount: deaths } : { state: TaskState.DEAD };
      const status = await until("the broker knows", async () => {
        const answer = await rpc.tasks.getTask({ taskId: id });
        return answer.status?.state !== TaskState.ACTIVE && answer.status;
      });
      expect(status).toMatchObject({ ...expected, attempt: 1 });
    }

    const { status } = await rpc.tasks.getTask({ taskId: id });
    expect(status?.lastResult).toMatchObject({ success: false, errorType: "worker_lost" });
    expect(status?.lastResult?.errorMessage).toContain("3 times");
  });
});
