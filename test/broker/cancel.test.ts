/** CancelTask: what waits is never delivered, what runs is told, what is reported later is stale. */
import { Rejection_Reason, TaskState } from "@taskwire/proto";
import { describe, expect } from "vitest";
import { refused } from "../support/rpc.ts";
import { until } from "../support/until.ts";
import { onEachStore, onStore } from "./broker-test.ts";
import { enqueueMany, untilState } from "./tasks.ts";

const CANCELLED = 3;

onEachStore((test) => {
  describe("a cancelled task", () => {
    test("that waited is never delivered", async ({ rpc, queue, subscribe }) => {
      const ids = await enqueueMany(rpc, queue, 5);
      const [, cancelled = ""] = ids;

      expect(await rpc.tasks.cancelTask({ taskId: cancelled, reason: "not needed" })).toEqual({ wasActive: false });

      const deliveries = await subscribe().untilDelivered(4);
      expect(deliveries.map(({ task }) => task?.id)).toEqual(ids.filter((id) => id !== cancelled));
      const { status } = await rpc.tasks.getTask({ taskId: cancelled });
      expect(status).toMatchObject({
        state: TaskState.CANCELLED,
        lastResult: { success: false, errorType: "cancelled", errorMessage: "not needed" },
        waitingReason: "",
      });
    });

    test("that was scheduled never becomes ready", async ({ rpc, queue }) => {
      const delay = { $case: "delay", value: { nanos: 50e6 } } as const;
      const { taskId } = await rpc.tasks.enqueue({ type: "email", queue, schedule: delay });
      const { taskId: witness } = await rpc.tasks.enqueue({ type: "email", queue, schedule: delay });

      await rpc.tasks.cancelTask({ taskId });

      await untilState(rpc, witness, TaskState.READY);
      await untilState(rpc, taskId, TaskState.CANCELLED);
    });

    test("that ran is taken from its worker, whose late ack is stale", async ({ rpc, queue, subscribe }) => {
      const [first = "", second = ""] = await enqueueMany(rpc, queue, 2);
      const session = subscribe({ window: { maxInFlight: 2 } });
      const [one, two] = await session.untilDelivered(2);

      expect(await rpc.tasks.cancelTask({ taskId: first })).toEqual({ wasActive: true });

      expect(await session.next("cancel")).toEqual({ tags: [one?.tag], reason: CANCELLED });
      const { rejections } = await session.settle({ ackTags: [one?.tag ?? 0, two?.tag ?? 0] });
      expect(rejections).toMatchObject([{ tag: one?.tag, reason: Rejection_Reason.STALE }]);
      await untilState(rpc, second, TaskState.COMPLETED);
      await untilState(rpc, first, TaskState.CANCELLED);
    });

    test("leaves room for another", async ({ rpc, queue, subscribe }) => {
      const [first = "", second = ""] = await enqueueMany(rpc, queue, 2);
      const session = subscribe({ window: { maxInFlight: 1 } });
      await session.untilDelivered(1);

      await rpc.tasks.cancelTask({ taskId: first });

      const deliveries = await session.untilDelivered(2);
      expect(deliveries[1]?.task?.id).toBe(second);
    });

    test("by its token is stale, too", async ({ rpc, queue, subscribe }) => {
      const [taskId = ""] = await enqueueMany(rpc, queue, 1);
      const [delivery] = await subscribe().untilDelivered(1);
      await rpc.tasks.cancelTask({ taskId });

      const outcome = { leaseToken: delivery?.leaseToken ?? "", result: { $case: "ack", value: {} } } as const;
      const { results } = await rpc.workers.settleTasks({ outcomes: [outcome] });

      expect(results).toMatchObject([{ settled: false, reason: Rejection_Reason.STALE }]);
    });

    test("stays so when it is cancelled again, and ends a wait for it", async ({ rpc, queue }) => {
      const [taskId = ""] = await enqueueMany(rpc, queue, 1);
      const waiting = rpc.tasks.awaitTask({ taskId });

      await rpc.tasks.cancelTask({ taskId, reason: "first" });

      expect(await rpc.tasks.cancelTask({ taskId, reason: "second" })).toEqual({ wasActive: false });
      const { status } = await waiting;
      expect(status).toMatchObject({ state: TaskState.CANCELLED, lastResult: { errorMessage: "first" } });
    });

    test("is found by its caller's id together with its queue", async ({ rpc, queue }) => {
      await rpc.tasks.enqueue({ type: "email", queue, taskId: "order-7" });

      expect(await refused((options) => rpc.tasks.cancelTask({ taskId: "order-7" }, options))).toMatchObject({
        code: 3,
        reason: "QUEUE_NEEDED",
      });
      await rpc.tasks.cancelTask({ taskId: "order-7", queue });
      await untilState(rpc, "order-7", TaskState.CANCELLED, queue);
    });
  });

  test("what has ended otherwise cannot be cancelled, nor what never was", async ({ rpc, queue, subscribe }) => {
    const [taskId = ""] = await enqueueMany(rpc, queue, 1);
    const session = subscribe();
    const [delivery] = await session.untilDelivered(1);
    await session.settle({ ackTags: [delivery?.tag ?? 0] });

    expect(await refused((options) => rpc.tasks.cancelTask({ taskId }, options))).toMatchObject({
      code: 9,
      reason: "TASK_ENDED",
      message: expect.stringContaining("is completed"),
    });
    const nobody = { taskId: "nobody", queue, reason: "x".repeat(257) };
    expect(await refused((options) => rpc.tasks.cancelTask(nobody, options))).toMatchObject({
      fields: [{ field: "reason" }],
    });
    const missing = { taskId: "nobody", queue };
    expect(await refused((options) => rpc.tasks.cancelTask(missing, options))).toMatchObject({ code: 5 });
  });
});

onStore("redis", (test) => {
  test("a task is cancelled through another broker than the one whose worker has it", async ({
    rpc,
    queue,
    startOther,
    connectTo,
  }) => {
    const other = connectTo(await startOther());
    const [taskId = ""] = await enqueueMany(rpc, queue, 1);
    const session = other.subscribe();
    const [delivery] = await session.untilDelivered(1);

    expect(await rpc.tasks.cancelTask({ taskId })).toEqual({ wasActive: true });

    expect(await session.next("cancel")).toEqual({ tags: [delivery?.tag], reason: CANCELLED });
    const { rejections } = await session.settle({ ackTags: [delivery?.tag ?? 0] });
    expect(rejections).toMatchObject([{ reason: Rejection_Reason.STALE }]);
    await until("its room is free", async () => {
      const { workers } = await rpc.stats.listWorkers({});
      return workers.every(({ inFlight }) => inFlight === 0);
    });
  });
});
