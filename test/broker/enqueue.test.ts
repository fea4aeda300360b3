/** The ways in: what is accepted, what is refused and how that is said. */
import {
  EnqueueRequest,
  EnqueueResponse_Outcome as Outcome,
  type RetryPolicy_Backoff,
  TaskState,
} from "@taskwire/proto";
import { describe, expect } from "vitest";
import { EnqueueWire } from "../support/enqueue-wire.ts";
import { refused } from "../support/rpc.ts";
import type { WireSession } from "../support/session.ts";
import { onEachStore, onStore } from "./broker-test.ts";
import { enqueueMany, untilState } from "./tasks.ts";

const INVALID_ARGUMENT = 3;
const TEN_YEARS_S = 10 * 365 * 24 * 60 * 60;

/** Not what google.protobuf calls a Duration or a Timestamp: nanoseconds below 0, of another sign, a second or more. */
const UNREAL = [{ nanos: -1 }, { seconds: 5, nanos: -1e6 }, { nanos: 1e9 }];

type PartialRequest = Parameters<typeof EnqueueRequest.fromPartial>[0];

onEachStore((test) => {
  test("a task is taken with defaults, at the durability of the store", async ({ rpc, queue }) => {
    const answer = await rpc.tasks.enqueue({ type: `${queue}/email` });

    expect(answer).toMatchObject({
      outcome: Outcome.CREATED,
      state: TaskState.READY,
      runTime: undefined,
      durability: 3,
    });
    const { status } = await rpc.tasks.getTask({ taskId: answer.taskId });
    expect(status).toMatchObject({
      state: TaskState.READY,
      attempt: 1,
      task: { id: answer.taskId, type: `${queue}/email`, queue: `${queue}.email` },
    });
  });

  test("everything that a task has reaches its worker", async ({ rpc, queue, subscribe }) => {
    const fields = {
      type: "pkg.Service/Method",
      contentType: "text/plain",
      headers: { traceparent: "00-ab", ключ: "значение" },
      priority: -7,
      maxRetries: 0,
      timeout: { seconds: 60, nanos: 0 },
    };
    const { taskId } = await rpc.tasks.enqueue({
      ...fields,
      queue,
      body: { $case: "payload", value: Buffer.from("hello") },
      retry: { base: { seconds: 2 }, jitter: 0.5 },
    });

    const [delivery] = await subscribe().untilDelivered(1);

    expect(delivery?.task).toMatchObject({ ...fields, id: taskId, queue, retry: { jitter: 0.5 } });
    expect(Buffer.from(delivery?.task?.payload ?? []).toString()).toBe("hello");
    const leftMs = (delivery?.deadlineTime?.seconds ?? 0) * 1_000 - Date.now();
    expect(leftMs).toBeGreaterThan(50_000);
    expect(leftMs).toBeLessThan(61_000);
    expect(Math.abs((delivery?.task?.enqueueTime?.seconds ?? 0) - Date.now() / 1_000)).toBeLessThan(10);
  });

  test("JSON arrives as its text", async ({ rpc, queue, subscribe }) => {
    const json = { to: "a@b.c", n: [1, 2.5, null, { deep: "ü" }], yes: true };
    await rpc.tasks.enqueue({ type: "email", queue, body: { $case: "json", value: json } });

    const [delivery] = await subscribe().untilDelivered(1);

    expect(delivery?.task?.contentType).toBe("application/json");
    expect(JSON.parse(Buffer.from(delivery?.task?.payload ?? []).toString())).toEqual(json);
  });

  test("a delayed task comes when it is due, and not before", async ({ rpc, queue, subscribe }) => {
    const session = subscribe();
    const enqueuedAt = Date.now();
    const { taskId, state, runTime } = await rpc.tasks.enqueue({
      type: "email",
      queue,
      schedule: { $case: "delay", value: { nanos: 400e6 } },
    });

    expect(state).toBe(TaskState.SCHEDULED);
    expect((runTime?.seconds ?? 0) * 1_000 + (runTime?.nanos ?? 0) / 1e6).toBeGreaterThanOrEqual(enqueuedAt + 399);
    const [delivery] = await session.untilDelivered(1);
    expect(delivery?.task?.id).toBe(taskId);
    expect(Date.now() - enqueuedAt).toBeGreaterThanOrEqual(399);
  });

  test("a run time in the past means at once", async ({ rpc, queue }) => {
    const { state } = await rpc.tasks.enqueue({
      type: "email",
      queue,
      schedule: { $case: "runTime", value: { seconds: 1_000 } },
    });

    expect(state).toBe(TaskState.READY);
  });

  test("an id of the caller's own is taken once", async ({ rpc, queue }) => {
    const request = { type: "email", queue, taskId: "order-1" };

    const first = await rpc.tasks.enqueue(request);
    const second = await rpc.tasks.enqueue({ ...request, priority: 5 });
    const elsewhere = await rpc.tasks.enqueue({ ...request, queue: `${queue}.b` });

    expect(first).toMatchObject({ taskId: "order-1", outcome: Outcome.CREATED });
    expect(second).toMatchObject({ taskId: "order-1", outcome: Outcome.EXISTING, state: TaskState.READY });
    expect(elsewhere.outcome).toBe(Outcome.CREATED);
    const { queue: stats } = await rpc.queues.getQueue({ queue });
    expect(stats?.counters?.enqueued).toBe(1);
  });

  describe("order", () => {
    test("is that of arrival, across single calls and batches", async ({ rpc, queue, subscribe }) => {
      const ids: string[] = [];
      for (let i = 0; i < 4; i++) {
        ids.push(...(await enqueueMany(rpc, queue, 3)));
        ids.push((await rpc.tasks.enqueue({ type: "email", queue })).taskId);
      }

      expect(await takeOneByOne(subscribe({ window: { maxInFlight: 1 } }), ids.length)).toEqual(ids);
    });

    test("is that of priorities first, higher before lower", async ({ rpc, queue, subscribe }) => {
      const byPriority = new Map<number, string[]>();
      for (const priority of [0, 5, -1, 5, 1_000_000, 0, -1_000_000]) {
        const ids = await enqueueMany(rpc, queue, 2, { priority });
        byPriority.set(priority, [...(byPriority.get(priority) ?? []), ...ids]);
      }
      const expected = [1_000_000, 5, 0, -1, -1_000_000].flatMap((priority) => byPriority.get(priority) ?? []);

      expect(await takeOneByOne(subscribe({ window: { maxInFlight: 1 } }), expected.length)).toEqual(expected);
    });
  });

  describe("a wrong request names its field", () => {
    const long = "x".repeat(129);
    const wrongNames = ["{}", "a{b}c", "*", "a b", "a\0b", "a\nb", "ü", "a:b", "../x\r\n", long];
    const cases: readonly [string, PartialRequest][] = [
      ...["", ...wrongNames].map((type): [string, PartialRequest] => ["type", { type }]),
      ...[...wrongNames, "a/b"].map((queue): [string, PartialRequest] => ["queue", { queue }]),
      ...[...wrongNames, "a/b"].map((taskId): [string, PartialRequest] => ["task_id", { taskId }]),
      ...[{ seconds: -1 }, { nanos: -1e6 }, ...UNREAL, { seconds: TEN_YEARS_S + 1 }, { seconds: 2 ** 52 }].map(
        (value): [string, PartialRequest] => ["delay", { schedule: { $case: "delay", value } }],
      ),
      ...[{ seconds: Math.floor(Date.now() / 1_000) + TEN_YEARS_S + 1_000 }, ...UNREAL, { seconds: -(2 ** 40) }].map(
        (value): [string, PartialRequest] => ["run_time", { schedule: { $case: "runTime", value } }],
      ),
      ...[{ seconds: 0 }, { seconds: -5 }, ...UNREAL, { seconds: 24 * 60 * 60 + 1 }].map(
        (timeout): [string, PartialRequest] => ["timeout", { timeout }],
      ),
      ["priority", { priority: 1_000_001 }],
      ["priority", { priority: -(2 ** 31) }],
      ["max_retries", { maxRetries: 1_001 }],
      ["max_retries", { maxRetries: 2 ** 32 - 1 }],
      ...[-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY].map((jitter): [string, PartialRequest] => [
        "retry.jitter",
        { retry: { jitter } },
      ]),
      ["retry.base", { retry: { base: { seconds: -1 } } }],
      ["retry.max", { retry: { max: { seconds: 2 ** 50 } } }],
      ["retry.delays", { retry: { delays: Array.from({ length: 33 }, () => ({ seconds: 1 })) } }],
      ["retry.backoff", { retry: { backoff: 77 as RetryPolicy_Backoff } }],
      ["retry.delays[0]", { retry: { delays: [{ nanos: -1 }] } }],
      ["retry.delays[1]", { retry: { delays: [{ seconds: 1 }, { seconds: -1 }] } }],
      ["headers", { headers: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`h${i}`, ""])) }],
      ["headers", { headers: { big: "x".repeat(9_000) } }],
      ["content_type", { contentType: "x".repeat(129) }],
      ["content_type", { contentType: "text/plain\r\nx-evil: 1" }],
      ["payload", { body: { $case: "payload", value: new Uint8Array(1024 * 1024 + 1) } }],
      ["json", { body: { $case: "json", value: { n: Number.NaN } } }],
      ["json", { body: { $case: "json", value: { big: "x".repeat(1024 * 1024) } } }],
    ];

    test("in a single call", async ({ rpc, queue }) => {
      for (const [field, overrides] of cases) {
        const name = `${field}: ${JSON.stringify(overrides).slice(0, 100)}`;
        const refusal = await refused((options) => rpc.tasks.enqueue({ type: "email", queue, ...overrides }, options));
        expect(refusal.code, name).toBe(INVALID_ARGUMENT);
        expect(refusal.reason, name).toBe("INVALID_ARGUMENT");
        expect(
          refusal.fields.map((violation) => violation.field),
          name,
        ).toEqual([field]);
        expect(refusal.message, name).toBe(`${field}: ${refusal.fields[0]?.description}`);
      }
      expect((await refused((options) => rpc.queues.getQueue({ queue }, options))).reason).toBe("QUEUE_NOT_FOUND");
    });

    test("in a batch, by its place, and nothing of the batch is taken", async ({ rpc, queue }) => {
      for (const [field, overrides] of cases) {
        const tasks = [{}, overrides].map((own) => EnqueueRequest.fromPartial({ type: "email", queue, ...own }));
        const refusal = await refused((options) => rpc.tasks.enqueueBatch({ tasks }, options));
        expect(refusal.fields.map((violation) => violation.field)).toEqual([`tasks[1].${field}`]);
      }
      expect((await refused((options) => rpc.queues.getQueue({ queue }, options))).reason).toBe("QUEUE_NOT_FOUND");
    });

    test("all of them at once", async ({ rpc, queue }) => {
      const refusal = await refused((options) =>
        rpc.tasks.enqueue(
          { type: "a b", queue: `${queue}*`, priority: 2_000_000, maxRetries: 5_000, timeout: { seconds: -1 } },
          options,
        ),
      );

      expect(refusal.fields.map(({ field }) => field).sort()).toEqual([
        "max_retries",
        "priority",
        "queue",
        "timeout",
        "type",
      ]);
      expect(refusal.message).toMatch(/\(and 4 more\)$/);
    });
  });

  test("a payload above the cap is refused with its size and the cap", async ({ rpc, queue }) => {
    const { fields } = await refused((options) =>
      rpc.tasks.enqueue(
        { type: "email", queue, body: { $case: "payload", value: new Uint8Array(1024 * 1024 + 5) } },
        options,
      ),
    );

    expect(fields).toMatchObject([
      { field: "payload", description: "has 1048581 bytes; at most 1048576 are allowed (TASKWIRE_MAX_PAYLOAD_BYTES)" },
    ]);
  });

  test("a payload of exactly the cap is taken and delivered", async ({ rpc, queue, subscribe }) => {
    await enqueueMany(rpc, queue, 1, { payload: Buffer.alloc(1024 * 1024, 7) });

    const [delivery] = await subscribe().untilDelivered(1);

    expect(delivery?.task?.payload).toHaveLength(1024 * 1024);
  });

  describe("text that is not UTF-8", () => {
    const bad = Buffer.of(0x61, 0xff, 0x62);
    const field = (number: number, content: Uint8Array) =>
      Buffer.concat([Buffer.of(number * 8 + 2, content.length), content]);

    test.for([
      ["type", field(2, bad)],
      ["queue", field(3, bad)],
      ["content_type", field(5, bad)],
      ["headers", field(6, Buffer.concat([field(1, Buffer.from("name")), field(2, bad)]))],
      ["task_id", field(1, bad)],
    ] as const)(
      "in %s is refused: it would break every stream that it is delivered on",
      async ([name, bytes], { rpc, queue }) => {
        const rest = [field(2, Buffer.from("email")), field(3, Buffer.from(queue))];
        const stream = new EnqueueWire(rpc);
        stream.sendBytes(Buffer.concat([Buffer.of(8, 1), field(2, Buffer.concat([...rest, bytes]))]));
        const [answer] = await stream.untilAnswered(1);
        stream.close();

        const status = answer?.result?.$case === "error" ? answer.result.value : undefined;
        expect(status).toMatchObject({ code: INVALID_ARGUMENT });
        expect(status?.message).toMatch(new RegExp(`^tasks\\[0\\]\\.${name}: `));
      },
    );
  });

  test("a batch of 1,000 is taken, a larger one is not", async ({ rpc, queue }) => {
    const ids = await enqueueMany(rpc, queue, 1_000);
    const tasks = Array.from({ length: 1_001 }, () => EnqueueRequest.fromPartial({ type: "email", queue }));
    const refusal = await refused((options) => rpc.tasks.enqueueBatch({ tasks }, options));

    expect(new Set(ids).size).toBe(1_000);
    expect(refusal).toMatchObject({ code: INVALID_ARGUMENT, reason: "BATCH_TOO_LARGE" });
    expect(refusal.message).toContain("1001");
    expect((await rpc.queues.getQueue({ queue })).queue?.counters?.enqueued).toBe(1_000);
  });

  test("a batch for several queues is answered in its order", async ({ rpc, queue }) => {
    const tasks = [0, 1, 2, 0, 1].map((n) => EnqueueRequest.fromPartial({ type: `t${n}`, queue: `${queue}.${n}` }));

    const answer = await rpc.tasks.enqueueBatch({ tasks });

    for (const [i, { taskId }] of answer.tasks.entries()) {
      const { status } = await rpc.tasks.getTask({ taskId });
      expect(status?.task).toMatchObject({ queue: tasks[i]?.queue, type: tasks[i]?.type });
    }
  });

  describe("GetTask and AwaitTask", () => {
    test("need the queue for an id of the caller's own", async ({ rpc, queue }) => {
      await rpc.tasks.enqueue({ type: "email", queue, taskId: "mine" });

      for (const call of [rpc.tasks.getTask, rpc.tasks.awaitTask]) {
        const refusal = await refused((options) => call({ taskId: "mine" }, options));
        expect(refusal).toMatchObject({ code: INVALID_ARGUMENT, reason: "QUEUE_NEEDED" });
      }
      const { status } = await rpc.tasks.getTask({ taskId: "mine", queue });
      expect(status).toMatchObject({ state: TaskState.READY, task: { id: "mine", queue } });
    });

    test("say so when there is no such task", async ({ rpc, queue }) => {
      const [id = ""] = await enqueueMany(rpc, queue, 1);
      const wrong = [
        { taskId: "nothing", queue },
        { taskId: "nothing", queue: `${queue}.never` },
        { taskId: id, queue: `${queue}.other` },
        { taskId: `${id.slice(0, -2)}1Z` },
        { taskId: "0".repeat(31) },
      ];

      for (const request of wrong) {
        for (const call of [rpc.tasks.getTask, rpc.tasks.awaitTask]) {
          const refusal = await refused((options) => call(request, options));
          expect(refusal, JSON.stringify(request)).toMatchObject({
            code: 5,
            reason: "TASK_NOT_FOUND",
            resource: "task",
          });
        }
      }
    });

    test("refuse ids that cannot be", async ({ rpc }) => {
      for (const taskId of ["", "{}", "a\nb", "x".repeat(200)]) {
        const refusal = await refused((options) => rpc.tasks.getTask({ taskId, queue: "*" }, options));
        expect(refusal.fields.map(({ field }) => field)).toEqual(["task_id", "queue"]);
      }
    });

    test("wait for the end", async ({ rpc, queue, subscribe }) => {
      const [id = ""] = await enqueueMany(rpc, queue, 1);
      const waiting = Promise.all([rpc.tasks.awaitTask({ taskId: id }), rpc.tasks.awaitTask({ taskId: id, queue })]);
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);
      await session.settle({ ackTags: [delivery?.tag ?? 0] });

      for (const { status } of await waiting) expect(status?.state).toBe(TaskState.COMPLETED);
      expect((await rpc.tasks.awaitTask({ taskId: id })).status?.state).toBe(TaskState.COMPLETED);
    });

    test("let a caller give up", async ({ rpc, queue }) => {
      const [id = ""] = await enqueueMany(rpc, queue, 1);

      const waiting = rpc.tasks.awaitTask({ taskId: id }, { signal: AbortSignal.timeout(200) });

      await expect(waiting).rejects.toThrow();
      await untilState(rpc, id, TaskState.READY);
    });
  });
});

onStore("embedded", (test) => {
  test("more queues than there may be are refused", async ({ startOther, connectTo }) => {
    const { rpc } = connectTo(await startOther({ maxQueues: 2 }));
    await rpc.tasks.enqueue({ type: "a" });
    await rpc.tasks.enqueue({ type: "b" });

    const refusal = await refused((options) => rpc.tasks.enqueue({ type: "c" }, options));

    expect(refusal).toMatchObject({ code: 8, reason: "TOO_MANY_QUEUES", quota: "too_many_queues" });
    await rpc.tasks.enqueue({ type: "a" });
  });
});

/** Takes and settles tasks in a window of one; resolves with their ids. */
async function takeOneByOne(session: WireSession, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 1; n <= count; n++) {
    const delivery = (await session.untilDelivered(n))[n - 1];
    ids.push(delivery?.task?.id ?? "");
    await session.settle({ ackTags: [delivery?.tag ?? 0] });
  }
  return ids;
}
