/** The RPCs over HTTP: by curl, and by real clients of the Connect protocol. */
import { TaskState } from "@taskwire/proto";
import { describe, expect } from "vitest";
import {
  ask,
  type ConnectClients,
  connectClients,
  contract,
  type HttpQuestion,
  post,
  refusedOverHttp,
} from "../support/http.ts";
import { startRedis } from "../support/redis.ts";
import { type Refusal, type Rpc, refused, sendBytes } from "../support/rpc.ts";
import { until } from "../support/until.ts";
import { onEachStore, onStore } from "./broker-test.ts";

onEachStore((test) => {
  describe.each([
    ["JSON", false],
    ["protobuf", true],
  ] as const)("a Connect client that speaks %s", (_, useBinaryFormat) => {
    test("enqueues a task, awaits its end, and sees its result", async ({ broker, queue, subscribe }) => {
      const { tasks } = connectClients(broker.httpAddress, useBinaryFormat);
      const session = subscribe();

      const { taskId } = await tasks.enqueue({ type: "email", queue, body: { case: "json", value: { to: "a@b.c" } } });
      const awaiting = tasks.awaitTask({ taskId });
      const [delivery] = await session.untilDelivered(1);
      const result = { $case: "ack", value: { result: Buffer.from("sent") } } as const;
      await session.settle({ outcomes: [{ tag: delivery?.tag ?? 0, result }] });

      expect(delivery?.task).toMatchObject({ id: taskId, contentType: "application/json" });
      expect(JSON.parse(Buffer.from(delivery?.task?.payload ?? []).toString())).toEqual({ to: "a@b.c" });
      const { status } = await awaiting;
      expect(status.state).toBe(TaskState.COMPLETED);
      expect(Buffer.from(status.lastResult.result).toString()).toBe("sent");
    });

    test("gets the numbers at once, and then at each interval", async ({ broker }) => {
      const { stats } = connectClients(broker.httpAddress, useBinaryFormat);
      const times: bigint[] = [];

      for await (const message of stats.watchStats({ interval: { nanos: 250e6 }, limit: 3 }))
        times.push(message.stats.time.seconds);

      expect(times).toHaveLength(3);
    });

    test("is refused as a gRPC client is, with all details", async ({ broker, rpc, queue }) => {
      const clients = connectClients(broker.httpAddress, useBinaryFormat);

      for (const { overGrpc, overHttp } of BAD_CALLS) {
        const expected = await overGrpc(rpc, queue);
        const { message, ...others } = await refusedOverHttp(overHttp(clients, queue));
        expect({ message, ...others }).toEqual(expected);
        expect(others.reason).toMatch(/^[A-Z_]+$/);
      }
    });

    test("is refused when a stream cannot begin", async ({ broker }) => {
      const { stats } = connectClients(broker.httpAddress, useBinaryFormat);
      const watch = async () => {
        for await (const _ of stats.watchStats({ interval: { nanos: 1 } })) return "a message";
        return "the end";
      };

      expect(await refusedOverHttp(watch())).toMatchObject({
        code: 3,
        reason: "INVALID_ARGUMENT",
        fields: [{ field: "interval" }],
      });
    });

    test("hears when its deadline has passed", async ({ broker, rpc, queue }) => {
      const { tasks } = connectClients(broker.httpAddress, useBinaryFormat);
      const { taskId } = await rpc.tasks.enqueue({ type: "email", queue });

      const refusal = await refusedOverHttp(tasks.awaitTask({ taskId }, { timeoutMs: 100 }));

      expect(refusal).toMatchObject({ code: 4, reason: undefined });
    });
  });

  test("a deadline is kept by the broker, too", async ({ broker, rpc, queue }) => {
    const { taskId } = await rpc.tasks.enqueue({ type: "email", queue });

    const headers = { "connect-timeout-ms": "100" };
    const { status, json } = await post(broker.httpAddress, "TaskService/AwaitTask", { taskId }, { headers });

    expect({ status, code: json.code }).toEqual({ status: 504, code: "deadline_exceeded" });
    expect(json.message).toBe("there was no answer within 100 ms (connect-timeout-ms)");
  });

  test("the longest deadline of the protocol is no short one", async ({ broker, rpc, queue, subscribe }) => {
    const { taskId } = await rpc.tasks.enqueue({ type: "email", queue });

    const headers = { "connect-timeout-ms": "9999999999" };
    const awaiting = post(broker.httpAddress, "TaskService/AwaitTask", { taskId }, { headers });
    const session = subscribe();
    const [delivery] = await session.untilDelivered(1);
    await session.settle({ ackTags: [delivery?.tag ?? 0] });

    expect((await awaiting).json.status).toMatchObject({ state: "TASK_STATE_COMPLETED" });
  });

  test("a caller that goes away ends what its call does", async ({ startOther, connectTo, queue }) => {
    const broker = await startOther({ maxSessions: 1 });
    const { rpc } = connectTo(broker);
    const pull = (workerId: string, question: HttpQuestion = {}) =>
      post(broker.httpAddress, "WorkerService/PullTasks", { workerId, queues: [queue], wait: "60s" }, question);
    const leaving = new AbortController();
    const pulling = pull("one", { signal: leaving.signal }).catch((error) => error.name);
    await until("it waits", async () => (await rpc.stats.listWorkers({})).workers.some(({ id }) => id === "one"));
    expect((await pull("two")).json.message).toMatch(/serves 1 sessions already/);

    leaving.abort();

    expect(await pulling).toBe("AbortError");
    await until("there is room for another", async () => {
      await rpc.tasks.enqueue({ type: "email", queue });
      return (await pull("two")).status === 200;
    });
  });
});

onStore("embedded", (test) => {
  test("curl enqueues a task", async ({ broker, queue }) => {
    const task = { type: "email", queue, json: { to: "a@b.c", big: [1, { deep: null }] } };

    const { status, headers, json } = await post(broker.httpAddress, "TaskService/Enqueue", task);

    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("application/json");
    expect(json).toEqual({
      taskId: expect.stringMatching(/^[0-9A-Z]{31}$/),
      outcome: "OUTCOME_CREATED",
      state: "TASK_STATE_READY",
      durability: "DURABILITY_FSYNC",
    });
  });

  test.for(["TaskService/Enqueue", "TaskService/ListTasks", "QueueService/PauseQueue", "WorkerService/PullTasks"])(
    "bytes that are no request of %s are refused in the same words over gRPC",
    async (rpc, { broker }) => {
      const path = `/taskwire.v1.${rpc}`;
      const body = Buffer.from([0x0a, 0xff]);

      const overGrpc = await sendBytes(broker.address, path, body);
      const headers = { "content-type": "application/proto" };
      const { status, json } = await ask(broker.httpAddress, path, { headers, body });

      const message = `the request is not an encoded ${rpc.split("/")[1]}Request: premature EOF`;
      expect(overGrpc).toMatchObject({ code: 3, reason: "INVALID_ARGUMENT", message });
      expect({ status, code: json.code, message: json.message }).toEqual({
        status: 400,
        code: "invalid_argument",
        message,
      });
      expect(json.details[0].debug).toMatchObject({ reason: "INVALID_ARGUMENT" });
    },
  );

  test("a stream of answers is not begun for bytes that are no request", async ({ broker }) => {
    const refusal = await sendBytes(broker.address, "/taskwire.v1.StatsService/WatchStats", Buffer.from([0x0a, 0xff]));

    expect(refusal).toMatchObject({ code: 3, reason: "INVALID_ARGUMENT" });
  });

  test("every RPC of the contract has its path: unary and watched ones answer, others name gRPC", async ({
    broker,
  }) => {
    const services = [...contract].filter((one) => one.kind === "service" && one.typeName.startsWith("taskwire."));
    const methods = services.flatMap((one) => (one.kind === "service" ? one.methods : []));
    expect(methods.length).toBeGreaterThan(12);

    for (const { name, parent, methodKind } of methods) {
      const { status, json } = await ask(broker.httpAddress, `/${parent.typeName}/${name}`, {
        headers: { "content-type": "application/json", "connect-timeout-ms": "100" },
        body: "{}",
      });
      const answer = `${name}: ${status} ${json.code ?? "ok"}`;
      if (methodKind === "bidi_streaming") expect(answer).toBe(`${name}: 501 unimplemented`);
      else if (methodKind === "server_streaming") expect(answer).toBe(`${name}: 415 invalid_argument`);
      else expect(answer).toMatch(/: (200 ok|400 invalid_argument|504 deadline_exceeded)$/);
    }
  });

  test("a stream both ways is refused in words, to curl and to clients of streams", async ({ broker }) => {
    const path = "/taskwire.v1.WorkerService/Subscribe";
    const plain = await ask(broker.httpAddress, path, { headers: { "content-type": "application/json" }, body: "{}" });
    const headers = { "content-type": "application/connect+json" };
    const stream = await ask(broker.httpAddress, path, { headers, body: "" });

    expect(plain.status).toBe(501);
    expect(plain.json.message).toMatch(/call it over gRPC$/);
    expect(stream.status).toBe(200);
    expect(JSON.parse(stream.text.slice(5)).error).toEqual(plain.json);
  });

  test("details of errors are shown, not only encoded", async ({ broker }) => {
    const { status, json } = await post(broker.httpAddress, "TaskService/Enqueue", {
      type: "no spaces",
      priority: 1e9,
    });

    expect({ status, code: json.code }).toEqual({ status: 400, code: "invalid_argument" });
    expect(json.details).toMatchObject([
      { type: "google.rpc.ErrorInfo", debug: { reason: "INVALID_ARGUMENT", domain: "taskwire" } },
      { type: "google.rpc.BadRequest", debug: { fieldViolations: [{ field: "type" }, { field: "priority" }] } },
    ]);
  });
});

onStore("redis", (test) => {
  test("a deadline is kept while the store hangs, and nothing is promised of the call", async ({
    startOther,
    queue,
  }) => {
    const redis = await startRedis();
    try {
      const { httpAddress } = await startOther({ redisUrl: redis.url });
      const { tasks } = connectClients(httpAddress, false);
      await tasks.enqueue({ type: "email", queue });
      redis.pause();

      const headers = { "connect-timeout-ms": "200" };
      const { status, json } = await post(httpAddress, "TaskService/Enqueue", { type: "email", queue }, { headers });

      expect({ status, code: json.code, details: json.details }).toEqual({
        status: 504,
        code: "deadline_exceeded",
        details: undefined,
      });
    } finally {
      await redis.destroy();
    }
  });
});

/** The same wrong call through both doors. */
const BAD_CALLS: readonly {
  overGrpc(rpc: Rpc, queue: string): Promise<Refusal>;
  overHttp(clients: ConnectClients, queue: string): Promise<unknown>;
}[] = [
  {
    overGrpc: (rpc, queue) => refused((options) => rpc.tasks.enqueue({ type: "", queue, priority: 2e6 }, options)),
    overHttp: ({ tasks }, queue) => tasks.enqueue({ type: "", queue, priority: 2e6 }),
  },
  {
    overGrpc: (rpc, queue) => refused((options) => rpc.tasks.getTask({ taskId: "mine", queue }, options)),
    overHttp: ({ tasks }, queue) => tasks.getTask({ taskId: "mine", queue }),
  },
  {
    overGrpc: (rpc) => refused((options) => rpc.tasks.awaitTask({ taskId: "mine" }, options)),
    overHttp: ({ tasks }) => tasks.awaitTask({ taskId: "mine" }),
  },
  {
    overGrpc: (rpc, queue) => refused((options) => rpc.queues.getQueue({ queue }, options)),
    overHttp: ({ queues }, queue) => queues.getQueue({ queue }),
  },
];
