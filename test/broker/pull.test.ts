/** Tasks without a stream: PullTasks, and SettleTasks by token. */
import {
  Nack_Action as Action,
  PullTasksResponse,
  Rejection_Reason as Reason,
  TaskState,
  TokenOutcome,
} from "@taskwire/proto";
import { describe, expect } from "vitest";
import { refused } from "../support/rpc.ts";
import { until } from "../support/until.ts";
import { onEachStore } from "./broker-test.ts";
import { enqueueMany, untilState } from "./tasks.ts";

/** Patient: on a busy machine one trip to the store takes its time. */
const WORKER = { workerId: "puller-1", wait: { seconds: 10 } };
const ack = (leaseToken: string): TokenOutcome =>
  TokenOutcome.fromPartial({ leaseToken, result: { $case: "ack", value: {} } });
const SETTLED = { settled: true, reason: 0, message: "" };

onEachStore((test) => {
  test("what is pulled is settled by its tokens", async ({ rpc, queue }) => {
    const ids = await enqueueMany(rpc, queue, 5);

    const { deliveries } = await rpc.workers.pullTasks({ ...WORKER, queues: [queue], maxTasks: 3 });
    const { results } = await rpc.workers.settleTasks({
      outcomes: deliveries.map(({ leaseToken }) => ack(leaseToken)),
    });

    expect(deliveries.map(({ task, tag, attempt }) => ({ id: task?.id, tag, attempt }))).toEqual(
      ids.slice(0, 3).map((id) => ({ id, tag: 0, attempt: 1 })),
    );
    expect(results).toEqual([SETTLED, SETTLED, SETTLED]);
    const { queue: stats } = await rpc.queues.getQueue({ queue });
    expect(stats?.counters).toMatchObject({ completed: 3, ready: 2, active: 0 });
  });

  test("a pull waits for the first task", async ({ rpc, queue }) => {
    const startedAt = performance.now();
    const pulling = rpc.workers.pullTasks({ ...WORKER, queues: [queue, `${queue}.b`], wait: { seconds: 30 } });
    await enqueueMany(rpc, `${queue}.b`, 1);

    const { deliveries } = await pulling;

    expect(deliveries.map(({ task }) => task?.queue)).toEqual([`${queue}.b`]);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });

  test("a pull in vain answers with nothing after its wait", async ({ rpc, queue }) => {
    const startedAt = performance.now();

    const { deliveries } = await rpc.workers.pullTasks({ ...WORKER, queues: [queue], wait: { nanos: 300e6 } });

    expect(deliveries).toEqual([]);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
  });

  test("a pull that was given up takes no task", async ({ rpc, queue, subscribe }) => {
    const giveUp = new AbortController();
    const pulling = rpc.workers.pullTasks(
      { ...WORKER, queues: [queue], wait: { seconds: 60 } },
      { signal: giveUp.signal },
    );
    const session = subscribe({ window: { maxInFlight: 0 } });
    await session.next("welcome");
    giveUp.abort();
    await expect(pulling).rejects.toThrow();
    await session.roundTrip();

    await enqueueMany(rpc, queue, 1);
    session.send({ $case: "window", value: { maxInFlight: 1, maxInFlightBytes: 0 } });

    await session.untilDelivered(1);
  });

  test("a pull is answered with no more than a gRPC client takes by default", async ({ rpc, queue }) => {
    const ids: string[] = [];
    for (let i = 0; i < 8; i++) ids.push(...(await enqueueMany(rpc, queue, 1, { payload: Buffer.alloc(900_000, 1) })));
    const pulled: string[] = [];
    let largest = 0;

    while (pulled.length < ids.length) {
      const answer = await rpc.workers.pullTasks({ ...WORKER, queues: [queue], maxTasks: 100 });
      largest = Math.max(largest, PullTasksResponse.encode(answer).finish().length);
      pulled.push(...answer.deliveries.map(({ task }) => task?.id ?? ""));
    }

    expect(pulled).toEqual(ids);
    expect(largest).toBeLessThan(4 * 1024 * 1024);
  });

  test("what is not settled in time has failed", async ({ rpc, queue }) => {
    const [id = ""] = await enqueueMany(rpc, queue, 1, { timeout: { nanos: 200e6 }, maxRetries: 0 });
    const { deliveries } = await rpc.workers.pullTasks({ ...WORKER, queues: [queue] });

    const { status } = await untilState(rpc, id, TaskState.DEAD);
    const { results } = await rpc.workers.settleTasks({ outcomes: [ack(deliveries[0]?.leaseToken ?? "")] });

    expect(status?.lastResult).toMatchObject({ errorType: "timeout", workerId: WORKER.workerId });
    expect(results).toMatchObject([{ settled: false, reason: Reason.STALE }]);
  });

  test("a token settles once: again is success, otherwise is stale", async ({ rpc, queue }) => {
    const [id = ""] = await enqueueMany(rpc, queue, 1);
    const { deliveries } = await rpc.workers.pullTasks({ ...WORKER, queues: [queue] });
    const leaseToken = deliveries[0]?.leaseToken ?? "";
    const bury = TokenOutcome.fromPartial({
      leaseToken,
      result: { $case: "nack", value: { action: Action.DEAD_LETTER } },
    });

    const first = await rpc.workers.settleTasks({ outcomes: [ack(leaseToken)] });
    const again = await rpc.workers.settleTasks({ outcomes: [ack(leaseToken)] });
    const otherwise = await rpc.workers.settleTasks({ outcomes: [bury] });

    expect(first.results).toEqual([SETTLED]);
    expect(again.results).toEqual([SETTLED]);
    expect(otherwise.results).toMatchObject([{ settled: false, reason: Reason.STALE }]);
    const { status } = await rpc.tasks.getTask({ taskId: id });
    expect(status?.state).toBe(TaskState.COMPLETED);
  });

  test("a failure by token follows the task's policy", async ({ rpc, queue }) => {
    const [id = ""] = await enqueueMany(rpc, queue, 1, { maxRetries: 1, retry: { delays: [{ nanos: 50e6 }] } });
    const pull = { ...WORKER, queues: [queue], wait: { seconds: 15 } };
    const fail = (leaseToken: string, errorMessage: string) =>
      rpc.workers.settleTasks({
        outcomes: [{ leaseToken, result: { $case: "nack", value: { errorType: "E", errorMessage } } }],
      });

    for (const attempt of [1, 2]) {
      const { deliveries } = await rpc.workers.pullTasks(pull);
      expect(deliveries).toMatchObject([{ attempt, task: { id } }]);
      const { results } = await fail(deliveries[0]?.leaseToken ?? "", `no ${attempt}`);
      expect(results).toEqual([SETTLED]);
    }

    const { status } = await rpc.tasks.getTask({ taskId: id });
    expect(status).toMatchObject({ state: TaskState.DEAD, attempt: 2, lastResult: { errorMessage: "no 2" } });
  });

  test("a task of a broken stream is settled by token, and by token only once", async ({ rpc, queue, subscribe }) => {
    await enqueueMany(rpc, queue, 2);
    const session = subscribe();
    const deliveries = await session.untilDelivered(2);

    const outcomes = deliveries.map(({ leaseToken }) => ack(leaseToken));
    expect((await rpc.workers.settleTasks({ outcomes })).results).toEqual([SETTLED, SETTLED]);
    session.cut();

    const { queue: stats } = await rpc.queues.getQueue({ queue });
    expect(stats?.counters).toMatchObject({ completed: 2, ready: 0, active: 0, lost: 0 });
    const other = subscribe();
    await other.next("welcome");
    await other.roundTrip();
    expect(other.deliveries).toEqual([]);
  });

  describe("the result of a task that was settled by token", () => {
    const ended = (leaseToken: string, ms: number): TokenOutcome => ({
      ...ack(leaseToken),
      duration: { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1e6 },
    });

    test("names the worker that holds it, and how long that was, as this broker saw it", async ({ rpc, queue }) => {
      const [id = "", failed = ""] = await enqueueMany(rpc, queue, 2);
      const { deliveries } = await rpc.workers.pullTasks({ ...WORKER, queues: [queue], maxTasks: 2 });
      const pulledAt = performance.now();
      await until("a moment has passed", () => performance.now() - pulledAt > 50);

      const [first = "", second = ""] = deliveries.map(({ leaseToken }) => leaseToken);
      const nack = {
        leaseToken: second,
        result: { $case: "nack", value: { errorType: "E", errorMessage: "no" } },
      } as const;
      await rpc.workers.settleTasks({ workerId: "another", outcomes: [ended(first, 3_600_000), nack] });

      for (const taskId of [id, failed]) {
        const { status } = await rpc.tasks.getTask({ taskId });
        expect(status?.lastResult?.workerId).toBe(WORKER.workerId);
        const { seconds = 0, nanos = 0 } = status?.lastResult?.duration ?? {};
        expect(seconds + nanos / 1e9).toBeGreaterThan(0.04);
        expect(seconds).toBeLessThan(60);
      }
    });

    test("names what the worker says once its stream is over", async ({ rpc, queue, subscribe }) => {
      const [id = ""] = await enqueueMany(rpc, queue, 1);
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);
      session.cut();
      await untilState(rpc, id, TaskState.READY);

      const outcomes = [ended(delivery?.leaseToken ?? "", 1_234)];
      const { results } = await rpc.workers.settleTasks({ workerId: "w-1", outcomes });

      expect(results).toEqual([SETTLED]);
      const { status } = await rpc.tasks.getTask({ taskId: id });
      expect(status?.lastResult).toMatchObject({ workerId: "w-1", duration: { seconds: 1, nanos: 234e6 } });
    });
  });

  describe("tokens that no broker made", () => {
    test.for(["", "x", "../..", "a.b.c.d.e.f", "0".repeat(10_000), "{}*\0\n"])("%j", async (leaseToken, { rpc }) => {
      const { results } = await rpc.workers.settleTasks({ outcomes: [ack(leaseToken)] });

      expect(results).toMatchObject([{ settled: false, reason: Reason.INVALID }]);
    });

    test("of a queue or a lease that does not exist are stale", async ({ rpc, queue }) => {
      await enqueueMany(rpc, queue, 1);
      const { deliveries } = await rpc.workers.pullTasks({ ...WORKER, queues: [queue] });
      const token = deliveries[0]?.leaseToken ?? "";
      const parts = token.split(".");
      const changed = (at: number, part: string) => parts.map((own, i) => (i === at ? part : own)).join(".");

      const forged = [changed(0, "0".repeat(14)), changed(1, "zzz"), changed(2, "7"), changed(4, "0".repeat(9))];
      const { results } = await rpc.workers.settleTasks({ outcomes: forged.map(ack) });

      expect(results.map(({ settled, reason }) => ({ settled, reason }))).toEqual(
        forged.map(() => ({ settled: false, reason: Reason.STALE })),
      );
      expect((await rpc.workers.settleTasks({ outcomes: [ack(token)] })).results).toEqual([SETTLED]);
    });
  });

  test("wrong requests name all their fields", async ({ rpc }) => {
    const pull = await refused((options) =>
      rpc.workers.pullTasks({ queues: ["*", "ok"], maxTasks: 1_001, wait: { seconds: 61 } }, options),
    );
    const settle = await refused((options) =>
      rpc.workers.settleTasks({ outcomes: Array.from({ length: 1_001 }, () => ack("x")) }, options),
    );
    const said = await refused((options) =>
      rpc.workers.settleTasks(
        { workerId: "no spaces", outcomes: [{ ...ack("x"), duration: { seconds: -1, nanos: 0 } }] },
        options,
      ),
    );

    expect(pull.code).toBe(3);
    expect(pull.fields.map(({ field }) => field).sort()).toEqual(["max_tasks", "queues[0]", "wait", "worker_id"]);
    expect(settle).toMatchObject({ code: 3, fields: [{ field: "outcomes" }] });
    expect(said).toMatchObject({ code: 3, fields: [{ field: "worker_id" }, { field: "outcomes[0].duration" }] });
  });
});
