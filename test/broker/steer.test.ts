/** PauseQueue, ResumeQueue, UpdateQueue; and the sentence that says why a task waits. */
import { Client } from "@taskwire/client";
import { TaskState } from "@taskwire/proto";
import { describe, expect } from "vitest";
import { type Rpc, refused } from "../support/rpc.ts";
import { until } from "../support/until.ts";
import { onEachStore, onStore } from "./broker-test.ts";
import { enqueueMany } from "./tasks.ts";

async function reasonOf(rpc: Rpc, taskId: string): Promise<string> {
  return (await rpc.tasks.getTask({ taskId })).status?.waitingReason ?? "";
}

onEachStore((test) => {
  test("a paused queue takes tasks and hands out none, until it is resumed", async ({ rpc, queue, subscribe }) => {
    const session = subscribe();
    await session.roundTrip();

    expect((await rpc.queues.pauseQueue({ queue })).queue).toMatchObject({ name: queue, paused: true });
    await enqueueMany(rpc, queue, 3);
    await session.roundTrip();
    expect(session.deliveries).toHaveLength(0);
    expect((await rpc.queues.resumeQueue({ queue })).queue).toMatchObject({ paused: false });

    await session.untilDelivered(3);
  });

  test("what a worker holds goes on while its queue is paused", async ({ rpc, queue, subscribe }) => {
    const [taskId = ""] = await enqueueMany(rpc, queue, 1);
    const session = subscribe();
    const [delivery] = await session.untilDelivered(1);
    await rpc.queues.pauseQueue({ queue });

    expect(await session.settle({ ackTags: [delivery?.tag ?? 0] })).toMatchObject({ rejections: [] });

    expect((await rpc.tasks.getTask({ taskId })).status?.state).toBe(TaskState.COMPLETED);
    await rpc.queues.resumeQueue({ queue });
  });

  describe("a queue with a limited rate", () => {
    test("takes its burst, and refuses the rest with the time to wait", async ({ rpc, queue }) => {
      const enqueueRate = { perSecond: 0.5, burst: 3 };
      expect((await rpc.queues.updateQueue({ queue, enqueueRate })).queue).toMatchObject({ enqueueRate });
      await enqueueMany(rpc, queue, 3);

      const refusal = await refused((options) => rpc.tasks.enqueue({ type: "email", queue }, options));

      expect(refusal).toMatchObject({
        code: 8,
        reason: "RATE_LIMITED",
        message: expect.stringContaining("rate limit exceeded"),
      });
      expect(refusal.retryAfterMs).toBeGreaterThan(1_000);
      expect(refusal.retryAfterMs).toBeLessThanOrEqual(2_000);
      await rpc.queues.updateQueue({ queue });
      await enqueueMany(rpc, queue, 10);
    });

    test("refuses for good a batch that is larger than its burst", async ({ rpc, queue }) => {
      await rpc.queues.updateQueue({ queue, enqueueRate: { perSecond: 2 } });

      const tasks = Array.from({ length: 3 }, () => ({ type: "email", queue }));
      expect(await refused((options) => rpc.tasks.enqueueBatch({ tasks }, options))).toMatchObject({
        code: 9,
        reason: "BATCH_ABOVE_BURST",
      });
      expect((await rpc.queues.getQueue({ queue })).queue?.counters).toMatchObject({ enqueued: 0 });
    });

    test("lets calls of the client wait for their turn, and those for other queues go on", async ({
      broker,
      rpc,
      queue,
    }) => {
      const other = `${queue}-other`;
      await rpc.queues.updateQueue({ queue, enqueueRate: { perSecond: 4, burst: 3 } });
      const client = new Client({ address: broker.address });
      try {
        const calls = Array.from({ length: 10 }, (_, i) =>
          client.enqueue("email", { i }, { queue: i % 2 === 0 ? queue : other }),
        );

        await Promise.all(calls.filter((_, i) => i % 2 === 1));
        expect((await rpc.queues.getQueue({ queue: other })).queue?.counters).toMatchObject({ enqueued: 5 });
        await Promise.all(calls);

        expect((await rpc.queues.getQueue({ queue })).queue?.counters).toMatchObject({ enqueued: 5 });
      } finally {
        await client.close();
      }
    });

    test("is refused when its limit makes no sense", async ({ rpc, queue }) => {
      for (const perSecond of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e9]) {
        const call = { queue, enqueueRate: { perSecond, burst: 2_000_000 } };
        expect(await refused((options) => rpc.queues.updateQueue(call, options)), `${perSecond}`).toMatchObject({
          code: 3,
          fields: [{ field: "enqueue_rate.per_second" }, { field: "enqueue_rate.burst" }],
        });
      }
    });
  });

  describe("why a task waits", () => {
    test("is told for each state", async ({ rpc, queue, subscribe }) => {
      const [first = "", second = ""] = await enqueueMany(rpc, queue, 3, {
        maxRetries: 2,
        retry: { base: { seconds: 3_600 } },
      });
      const delay = { $case: "delay", value: { seconds: 3_600 } } as const;
      const { taskId: later } = await rpc.tasks.enqueue({ type: "email", queue, schedule: delay });

      expect(await reasonOf(rpc, later)).toMatch(/^scheduled for \d{4}-\d\d-\d\dT/);
      expect(await reasonOf(rpc, second)).toBe(`no worker takes tasks of the queue ${queue}`);
      await rpc.queues.pauseQueue({ queue });
      expect(await reasonOf(rpc, second)).toBe(`the queue ${queue} is paused`);
      await rpc.queues.resumeQueue({ queue });
      const session = subscribe({
        workerId: `w-${queue}`,
        queues: [{ queue, types: ["email"] }],
        window: { maxInFlight: 1 },
      });
      const [delivery] = await session.untilDelivered(1);
      expect(await reasonOf(rpc, first)).toMatch(new RegExp(`^held by worker w-${queue} since \\d{4}-`));
      await until("the worker is known", async () => (await reasonOf(rpc, second)) === "position 1 of 2");
      await rpc.queues.pauseQueue({ queue });
      const nack = { action: 0, errorType: "E", errorMessage: "no", errorStack: "", retryDelay: undefined } as const;
      await session.settle({ outcomes: [{ tag: delivery?.tag ?? 0, result: { $case: "nack", value: nack } }] });
      expect(await reasonOf(rpc, first)).toMatch(/^retry 1 of 2 at \d{4}-/);
      await rpc.queues.resumeQueue({ queue });
    });

    test("names the type that no worker handles", async ({ rpc, queue, subscribe }) => {
      subscribe({ queues: [{ queue, types: ["sms"] }], window: { maxInFlight: 0 } });
      const [taskId = ""] = await enqueueMany(rpc, queue, 1);

      await until("the worker is known", async () => (await reasonOf(rpc, taskId)) === "no worker for the type email");
    });
  });

  test("a worker is listed with what it holds", async ({ rpc, queue, subscribe }) => {
    const [first = "", second = ""] = await enqueueMany(rpc, queue, 2);
    const workerId = `w-${queue}`;
    await subscribe({ workerId }).untilDelivered(2);

    const holding = await until("the record is fresh", async () => {
      const { workers } = await rpc.stats.listWorkers({});
      const worker = workers.find(({ id }) => id === workerId);
      return worker?.holding.length === 2 && worker.holding;
    });

    expect(holding).toMatchObject([
      { taskId: first, queue },
      { taskId: second, queue },
    ]);
  });
});

onStore("redis", (test) => {
  test("no broker hands out a task of a queue that was paused through another", async ({
    rpc,
    queue,
    startOther,
    connectTo,
  }) => {
    const other = connectTo(await startOther());
    const session = other.subscribe({ window: { maxInFlight: 1_000 } });
    await session.roundTrip();
    await rpc.queues.pauseQueue({ queue });

    await enqueueMany(other.rpc, queue, 5);

    await session.roundTrip();
    expect(session.deliveries).toHaveLength(0);
    await rpc.queues.resumeQueue({ queue });
    await session.untilDelivered(5);
  });

  test("a limited rate is one for all brokers", async ({ rpc, queue, startOther, connectTo }) => {
    const other = connectTo(await startOther());
    await rpc.queues.updateQueue({ queue, enqueueRate: { perSecond: 0.01, burst: 10 } });

    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? rpc : other.rpc).tasks.enqueue({ type: "email", queue })),
    );

    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
  });
});
