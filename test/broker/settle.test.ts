/** How tasks end: acks, failures, retries, timeouts, and outcomes that do not count. */
import { Nack_Action as Action, type Nack, Outcome, Rejection_Reason as Reason, TaskState } from "@taskwire/proto";
import { describe, expect } from "vitest";
import { until } from "../support/until.ts";
import { onEachStore } from "./broker-test.ts";
import { enqueueMany, untilState } from "./tasks.ts";

const nack = (tag: number, value: Parameters<typeof Nack.fromPartial>[0]) =>
  Outcome.fromPartial({ tag, result: { $case: "nack", value } });
const release = (tag: number, delayMs = 0) =>
  Outcome.fromPartial({ tag, result: { $case: "release", value: { delay: { nanos: delayMs * 1e6 } } } });
const ack = (tag: number, result: string) =>
  Outcome.fromPartial({ tag, result: { $case: "ack", value: { result: Buffer.from(result) } } });

onEachStore((test) => {
  describe("an ack", () => {
    test("completes the task with its result", async ({ rpc, queue, subscribe }) => {
      const [id = ""] = await enqueueMany(rpc, queue, 1);
      const session = subscribe({ workerId: "w-1" });
      const [delivery] = await session.untilDelivered(1);

      expect(await session.settle({ outcomes: [ack(delivery?.tag ?? 0, "done")] })).toMatchObject({ rejections: [] });

      const { status } = await rpc.tasks.getTask({ taskId: id });
      expect(status).toMatchObject({
        state: TaskState.COMPLETED,
        attempt: 1,
        lastResult: { success: true, workerId: "w-1", errorType: "" },
      });
      expect(Buffer.from(status?.lastResult?.result ?? []).toString()).toBe("done");
    });

    test("sent twice is success both times, and counts once", async ({ rpc, queue, subscribe }) => {
      await enqueueMany(rpc, queue, 1);
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);
      const tag = delivery?.tag ?? 0;

      const answers = await Promise.all([
        session.settle({ ackTags: [tag] }),
        session.settle({ ackTags: [tag] }),
        session.settle({ ackTags: [tag, tag] }),
      ]);
      answers.push(await session.settle({ ackTags: [tag] }));

      for (const { rejections } of answers) expect(rejections).toEqual([]);
      const { queue: stats } = await rpc.queues.getQueue({ queue });
      expect(stats?.counters).toMatchObject({ enqueued: 1, dequeued: 1, completed: 1, active: 0 });
    });

    test("of a tag that was never delivered is refused, the others of its frame are not", async ({
      rpc,
      queue,
      subscribe,
    }) => {
      const [id = ""] = await enqueueMany(rpc, queue, 1);
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);

      const { rejections } = await session.settle({ ackTags: [999, delivery?.tag ?? 0, 2 ** 40] });

      expect(rejections.map(({ tag, reason }) => ({ tag, reason }))).toEqual([
        { tag: 999, reason: Reason.UNKNOWN_TAG },
        { tag: 2 ** 40, reason: Reason.UNKNOWN_TAG },
      ]);
      await untilState(rpc, id, TaskState.COMPLETED);
    });

    test("with a result above the cap is refused, and the task is still the worker's", async ({
      queue,
      startOther,
      connectTo,
    }) => {
      const broker = await startOther({ maxPayloadBytes: 1_000 });
      const { rpc, subscribe } = connectTo(broker);
      const [id = ""] = await enqueueMany(rpc, queue, 1);
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);
      const tag = delivery?.tag ?? 0;

      const { rejections } = await session.settle({ outcomes: [ack(tag, "x".repeat(1_001))] });

      expect(rejections).toEqual([
        {
          tag,
          reason: Reason.INVALID,
          message: "the result has 1001 bytes; at most 1000 are allowed (TASKWIRE_MAX_PAYLOAD_BYTES)",
        },
      ]);
      expect(await session.settle({ outcomes: [ack(tag, "short")] })).toMatchObject({ rejections: [] });
      await untilState(rpc, id, TaskState.COMPLETED);
    });

    test("after the timeout is stale and changes nothing", async ({ rpc, queue, subscribe }) => {
      const [id = ""] = await enqueueMany(rpc, queue, 1, { timeout: { nanos: 200e6 }, maxRetries: 0 });
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);
      const tag = delivery?.tag ?? 0;

      expect(await session.next("cancel")).toEqual({ tags: [tag], reason: 1 });
      const { rejections } = await session.settle({ ackTags: [tag] });

      expect(rejections).toMatchObject([{ tag, reason: Reason.STALE }]);
      const { status } = await untilState(rpc, id, TaskState.DEAD);
      expect(status?.lastResult).toMatchObject({
        success: false,
        errorType: "timeout",
        errorMessage: "timed out after 200ms",
      });
    });
  });

  describe("a failure", () => {
    test("is tried again with the policy's delays until the task is dead", async ({ rpc, queue, subscribe }) => {
      const delays = [50, 300, 150];
      const [id = ""] = await enqueueMany(rpc, queue, 1, {
        maxRetries: 3,
        retry: { delays: delays.map((ms) => ({ nanos: ms * 1e6 })) },
      });
      const session = subscribe();
      const deliveredAt: number[] = [];
      const failedAt: number[] = [];

      for (let attempt = 1; attempt <= 4; attempt++) {
        const delivery = (await session.untilDelivered(attempt))[attempt - 1];
        deliveredAt.push(Date.now());
        expect(delivery).toMatchObject({ attempt, task: { id } });
        failedAt.push(Date.now());
        await session.settle({
          outcomes: [nack(delivery?.tag ?? 0, { errorType: "E", errorMessage: `no ${attempt}` })],
        });
      }

      const { status } = await untilState(rpc, id, TaskState.DEAD);
      expect(status).toMatchObject({ attempt: 4, lastResult: { errorType: "E", errorMessage: "no 4" } });
      for (const [i, delay] of delays.entries()) {
        // Never early; the clocks of store and test round to whole ms.
        expect((deliveredAt[i + 1] ?? 0) - (failedAt[i] ?? 0), `delay ${i + 1}`).toBeGreaterThanOrEqual(delay - 1);
      }
      const { queue: stats } = await rpc.queues.getQueue({ queue });
      expect(stats?.counters).toMatchObject({ dequeued: 4, failed: 4, retried: 3, dead: 1, scheduled: 0, active: 0 });
    });

    test("waits as long as the policy lists, also beyond the default's longest delay", async ({
      rpc,
      queue,
      subscribe,
    }) => {
      const [id = ""] = await enqueueMany(rpc, queue, 1, { retry: { delays: [{ seconds: 86_400 }] } });
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);

      const failedAt = Date.now();
      await session.settle({ outcomes: [nack(delivery?.tag ?? 0, {})] });

      const { status } = await untilState(rpc, id, TaskState.SCHEDULED);
      expect((status?.runTime?.seconds ?? 0) - failedAt / 1_000).toBeGreaterThan(86_000);
    });

    test("may set its own delay", async ({ rpc, queue, subscribe }) => {
      await enqueueMany(rpc, queue, 1);
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);

      const failedAt = Date.now();
      await session.settle({
        outcomes: [nack(delivery?.tag ?? 0, { action: Action.RETRY, retryDelay: { nanos: 250e6 } })],
      });

      const [, again] = await session.untilDelivered(2);
      expect(Date.now() - failedAt).toBeGreaterThanOrEqual(249);
      expect(again?.attempt).toBe(2);
    });

    test.for([
      ["for good buries the task", Action.DEAD_LETTER, TaskState.DEAD],
      ["that is not worth keeping cancels it", Action.DISCARD, TaskState.CANCELLED],
    ] as const)("%s", async ([, action, state], { rpc, queue, subscribe }) => {
      const [id = ""] = await enqueueMany(rpc, queue, 1);
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);

      await session.settle({ outcomes: [nack(delivery?.tag ?? 0, { action, errorType: "E", errorMessage: "why" })] });

      const { status } = await rpc.tasks.getTask({ taskId: id });
      expect(status).toMatchObject({ state, attempt: 1, lastResult: { errorType: "E", errorMessage: "why" } });
    });

    test("with a message above the cap is kept with the front of it", async ({ rpc, queue, subscribe }) => {
      const [id = ""] = await enqueueMany(rpc, queue, 1);
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);

      await session.settle({
        outcomes: [nack(delivery?.tag ?? 0, { action: Action.DEAD_LETTER, errorMessage: "ü".repeat(10_000) })],
      });

      const { status } = await rpc.tasks.getTask({ taskId: id });
      expect(status?.lastResult?.errorMessage).toBe("ü".repeat(4 * 1024));
    });

    test("with an absurd delay is refused, and the task is still the worker's", async ({ rpc, queue, subscribe }) => {
      await enqueueMany(rpc, queue, 3);
      const session = subscribe();
      const tags = (await session.untilDelivered(3)).map(({ tag }) => tag);

      const { rejections } = await session.settle({
        outcomes: [
          nack(tags[0] ?? 0, { retryDelay: { seconds: -1 } }),
          nack(tags[2] ?? 0, { retryDelay: { seconds: 5, nanos: -1 } }),
          nack(tags[1] ?? 0, { retryDelay: { seconds: 1e12 } }),
        ],
      });

      expect(rejections.map(({ tag, reason }) => ({ tag, reason }))).toEqual(
        [tags[0], tags[2], tags[1]].map((tag) => ({ tag, reason: Reason.INVALID })),
      );
      expect(await session.settle({ ackTags: tags })).toMatchObject({ rejections: [] });
    });
  });

  describe("a release", () => {
    test("gives the task back in front of the queue, and spends no attempt", async ({ rpc, queue, subscribe }) => {
      const ids = await enqueueMany(rpc, queue, 3);
      const session = subscribe({ window: { maxInFlight: 1 } });
      const [delivery] = await session.untilDelivered(1);

      await session.settle({ outcomes: [release(delivery?.tag ?? 0)] });

      const [, again] = await session.untilDelivered(2);
      expect(again).toMatchObject({ attempt: 1, task: { id: ids[0] } });
      const { status } = await rpc.tasks.getTask({ taskId: ids[0] ?? "" });
      expect(status).toMatchObject({ attempt: 1, lostCount: 0 });
    });

    test("with a delay is a snooze", async ({ rpc, queue, subscribe }) => {
      await enqueueMany(rpc, queue, 1);
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);

      const releasedAt = Date.now();
      await session.settle({ outcomes: [release(delivery?.tag ?? 0, 300)] });

      const [, again] = await session.untilDelivered(2);
      expect(Date.now() - releasedAt).toBeGreaterThanOrEqual(299);
      expect(again?.attempt).toBe(1);
    });
  });

  describe("Extend", () => {
    test("moves the deadline", async ({ rpc, queue, subscribe }) => {
      const [id = ""] = await enqueueMany(rpc, queue, 1, { timeout: { seconds: 2 }, maxRetries: 0 });
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);
      const tag = delivery?.tag ?? 0;

      const extendedAt = Date.now();
      session.send({ $case: "extend", value: { tags: [tag, 77], timeout: { seconds: 2, nanos: 500e6 } } });
      await session.next("cancel");

      expect(Date.now() - extendedAt, "ms until the cancel").toBeGreaterThanOrEqual(2_499);
      const { status } = await untilState(rpc, id, TaskState.DEAD);
      const [, seconds] = /^timed out after ([\d.]+)s$/.exec(status?.lastResult?.errorMessage ?? "") ?? [];
      expect(Number(seconds)).toBeGreaterThanOrEqual(2.5);
    });

    test("without a sensible time ends the stream with the name of the field", async ({ subscribe }) => {
      const session = subscribe();

      session.send({ $case: "extend", value: { tags: [1], timeout: { seconds: 1e9, nanos: 0 } } });

      expect(await session.ended()).toMatchObject({ code: 3, fields: [{ field: "extend.timeout" }] });
    });
  });

  test("progress is shown while the task is held", async ({ rpc, queue, subscribe }) => {
    const [id = ""] = await enqueueMany(rpc, queue, 1);
    const session = subscribe({ workerId: "w-42" });
    const [delivery] = await session.untilDelivered(1);

    session.send({
      $case: "progress",
      value: { tag: delivery?.tag ?? 0, percent: 42, detail: Buffer.from("half way") },
    });

    const status = await until("it is shown", async () => {
      const answer = await rpc.tasks.getTask({ taskId: id });
      return answer.status?.progressPercent ? answer.status : undefined;
    });
    expect(status).toMatchObject({ state: TaskState.ACTIVE, workerId: "w-42", progressPercent: 42 });
    expect(Buffer.from(status.progressDetail).toString()).toBe("half way");
  });

  test.for([
    [Number.NaN, 0],
    [-5, 0],
    [Number.POSITIVE_INFINITY, 100],
  ] as const)("progress of %d is shown as %d", async ([percent, shown], { rpc, queue, subscribe }) => {
    const [id = ""] = await enqueueMany(rpc, queue, 1);
    const session = subscribe();
    const [delivery] = await session.untilDelivered(1);

    session.send({ $case: "progress", value: { tag: delivery?.tag ?? 0, percent, detail: Buffer.from("x") } });

    const status = await until("it is shown", async () => {
      const answer = await rpc.tasks.getTask({ taskId: id });
      return answer.status?.progressDetail.length ? answer.status : undefined;
    });
    expect(status.progressPercent).toBe(shown);
  });

  describe("a frame that cannot be read", () => {
    test.for([
      ["a settle cut short", Buffer.of(0x1a, 0x05, 0x12, 0x20)],
      ["a settle whose ack is cut short", Buffer.of(0x1a, 0x07, 0x1a, 0x05, 0x08, 0x01, 0x12, 0x01, 0x0a)],
      ["another frame cut short", Buffer.of(0x22, 0x10, 0x0a)],
    ] as const)("%s is refused as the worker's mistake", async ([, bytes], { subscribe, broker }) => {
      const session = subscribe();
      await session.next("welcome");

      session.sendBytes(bytes);

      expect(await session.ended()).toMatchObject({ code: 3, reason: "INVALID_ARGUMENT" });
      expect(broker.isRunning()).toBe(true);
    });
  });
});
