/** What operators and their tools ask: numbers, queues, workers, health, reflection. */
import { TaskState, Worker_Status as WorkerStatus } from "@taskwire/proto";
import { type HealthCheckResponse, HealthDefinition } from "@taskwire/proto/health";
import {
  ServerReflectionDefinition,
  ServerReflectionRequest,
  type ServerReflectionResponse,
} from "@taskwire/proto/reflection";
import { describe, expect } from "vitest";
import { type Rpc, refused } from "../support/rpc.ts";
import { until } from "../support/until.ts";
import { onEachStore, onStore } from "./broker-test.ts";
import { enqueueMany, untilState } from "./tasks.ts";

const SERVICES = ["QueueService", "StatsService", "TaskService", "WorkerService"].map((name) => `taskwire.v1.${name}`);

onEachStore((test) => {
  describe("statistics", () => {
    test("count each move of a task", async ({ rpc, queue, subscribe }) => {
      const [, failing = ""] = await enqueueMany(rpc, queue, 3, { maxRetries: 1, retry: { base: { seconds: 3_600 } } });
      await rpc.tasks.enqueue({ type: "email", queue, schedule: { $case: "delay", value: { seconds: 3_600 } } });
      const session = subscribe({ window: { maxInFlight: 2 } });
      const tags = (await session.untilDelivered(2)).map(({ tag }) => tag);
      session.send({ $case: "stopDelivery", value: {} });
      await session.next("deliveryStopped");
      await session.settle({ ackTags: tags.slice(0, 1) });
      await session.settle({ outcomes: [{ tag: tags[1] ?? 0, result: { $case: "nack", value: NACK } }] });
      await untilState(rpc, failing, TaskState.SCHEDULED);

      const { queue: one } = await rpc.queues.getQueue({ queue });

      const counters = {
        enqueued: 4,
        dequeued: 2,
        completed: 1,
        failed: 1,
        retried: 1,
        lost: 0,
        buried: 0,
        cancelled: 0,
        revived: 0,
        deleted: 0,
        dropped: 0,
        scheduled: 2,
        ready: 1,
        active: 0,
        dead: 0,
      };
      expect(one).toMatchObject({ name: queue, counters, paused: false, enqueueRate: undefined });
      expect(one?.oldestReadyTime?.seconds).toBeGreaterThan(0);
      const { stats } = await until("the shared numbers are fresh", async () => {
        const answer = await rpc.stats.getStats({});
        return answer.stats?.queues.some(({ name }) => name === queue) && answer;
      });
      expect(stats?.queues.find(({ name }) => name === queue)?.counters).toEqual(counters);
      expect(stats?.enqueuedByType["email"]).toBeGreaterThanOrEqual(4);
      expect(stats?.brokers).toBe(1);
    });

    test("are streamed at once and then at each interval, as often as asked", async ({ rpc }) => {
      const startedAt = performance.now();
      const arrivals: number[] = [];
      for await (const { stats } of rpc.stats.watchStats({ interval: { nanos: 250e6 }, limit: 3 })) {
        expect(stats?.time?.seconds).toBeGreaterThan(0);
        arrivals.push(performance.now() - startedAt);
      }

      expect(arrivals).toHaveLength(3);
      expect(arrivals[2], "two intervals").toBeGreaterThanOrEqual(490);
    });

    test("are refused at absurd intervals", async ({ rpc }) => {
      for (const interval of [{ nanos: 1e6 }, { seconds: 3_601 }, { seconds: -1 }]) {
        const refusal = await refused(async (options) => {
          for await (const _ of rpc.stats.watchStats({ interval }, options)) return "a message";
          return "the end";
        });
        expect(refusal).toMatchObject({ code: 3, fields: [{ field: "interval" }] });
      }
    });
  });

  test("queues are listed by name, page by page", async ({ rpc, queue }) => {
    const names = ["a", "b", "c", "d", "e"].map((name) => `${queue}.${name}`);
    for (const name of [...names].reverse()) await rpc.tasks.enqueue({ type: "email", queue: name });

    const found: string[] = [];
    let pageToken = "";
    do {
      const page = await rpc.queues.listQueues({ pageSize: 2, pageToken });
      expect(page.queues.length).toBeLessThanOrEqual(2);
      found.push(...page.queues.map(({ name }) => name));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");

    expect(found.filter((name) => name.startsWith(queue))).toEqual(names);
    expect(found).toEqual([...found].sort());
    expect(await refused((options) => rpc.queues.listQueues({ pageSize: 1_001 }, options))).toMatchObject({ code: 3 });
    expect(await refused((options) => rpc.queues.getQueue({ queue }, options))).toMatchObject({
      code: 5,
      reason: "QUEUE_NOT_FOUND",
      resource: "queue",
    });
  });

  test("workers are listed while they are there", async ({ rpc, queue, subscribe }) => {
    await enqueueMany(rpc, queue, 2);
    const workerId = `w-${queue}`;
    const session = subscribe({
      workerId,
      host: "host-1",
      sdk: "by-hand/1",
      labels: { version: "7" },
      queues: [{ queue, types: ["email"] }],
      concurrency: 5,
    });
    await session.untilDelivered(2);
    const find = async () => (await rpc.stats.listWorkers({})).workers.find(({ id }) => id === workerId);

    const worker = await until("it is listed with what it holds", async () => {
      const found = await find();
      return found?.inFlight === 2 && found;
    });
    expect(worker).toMatchObject({
      host: "host-1",
      sdk: "by-hand/1",
      labels: { version: "7" },
      queues: [{ queue, types: ["email"] }],
      concurrency: 5,
      status: WorkerStatus.ACTIVE,
    });
    expect(worker.brokerId).not.toBe("");

    session.send({ $case: "stopDelivery", value: {} });
    await until("it is listed as stopping", async () => (await find())?.status === WorkerStatus.STOPPING);
    session.cut();
    await until("it is no longer listed", async () => (await find()) === undefined);
  });

  test("health is told for the broker and for each service", async ({ rpc }) => {
    const health = rpc.connection.client(HealthDefinition);

    for (const service of ["", ...SERVICES]) expect(await health.check({ service })).toEqual({ status: 1 });
    expect(await refused((options) => health.check({ service: "x" }, options))).toMatchObject({ code: 5 });
    const watching: AsyncIterable<HealthCheckResponse> = health.watch({ service: "" });
    for await (const { status } of watching) {
      expect(status).toBe(1);
      break;
    }
  });

  describe.each(["v1", "v1alpha"])("reflection %s", (version) => {
    test("lists the services, and describes them with their comments", async ({ rpc }) => {
      const list = await reflect(rpc, version, { $case: "listServices", value: "" });
      const file = await reflect(rpc, version, {
        $case: "fileContainingSymbol",
        value: "taskwire.v1.TaskService.Enqueue",
      });
      const unknown = await reflect(rpc, version, { $case: "fileContainingSymbol", value: "no.such.Thing" });

      if (list?.$case !== "listServicesResponse") throw new Error(`not a list: ${list?.$case}`);
      expect(list.value.service.map(({ name }) => name)).toEqual(expect.arrayContaining(SERVICES));
      if (file?.$case !== "fileDescriptorResponse") throw new Error(`not a file: ${file?.$case}`);
      const texts = file.value.fileDescriptorProto.map((bytes) => Buffer.from(bytes).toString("latin1"));
      expect(texts[0]).toContain("taskwire/v1/task_service.proto");
      expect(texts[0]).toContain("Adds one task.");
      expect(texts.some((text) => text.includes("google/protobuf/timestamp.proto"))).toBe(true);
      expect(unknown?.$case).toBe("errorResponse");
    });
  });
});

onStore("embedded", (test) => {
  test("a stopping broker says so in its health before it leaves", async ({ startOther, connectTo, queue }) => {
    const broker = await startOther();
    const { rpc, subscribe } = connectTo(broker);
    await enqueueMany(rpc, queue, 1);
    const session = subscribe();
    await session.untilDelivered(1);
    const statuses: number[] = [];
    const watching = (async () => {
      const health = rpc.connection.client(HealthDefinition);
      for await (const { status } of health.watch({ service: "" })) statuses.push(status);
    })().catch(() => undefined);
    await until("it serves", () => statuses.length > 0);

    const stopped = broker.terminate();
    await session.next("drain");
    await until("it no longer serves", () => statuses.length > 1);
    session.cut();

    expect(await stopped).toBe(0);
    await watching;
    expect(statuses).toEqual([1, 2]);
  });

  test("a stopping broker does not wait for those who watch", async ({ startOther, connectTo }) => {
    const broker = await startOther();
    const { rpc } = connectTo(broker);
    let messages = 0;
    const watching = (async () => {
      for await (const _ of rpc.stats.watchStats({})) messages++;
    })().catch(() => undefined);
    await until("numbers come", () => messages > 0);

    expect(await broker.terminate()).toBe(0);

    await watching;
  });
});

const NACK = { action: 0, errorType: "E", errorMessage: "no", errorStack: "", retryDelay: undefined } as const;

/** Asks one question through one of the two reflection services, which differ in name only. */
async function reflect(
  rpc: Rpc,
  version: string,
  question: NonNullable<ServerReflectionRequest["messageRequest"]>,
): Promise<ServerReflectionResponse["messageResponse"]> {
  // The type of the definition has the one name in it.
  const client = rpc.connection.client({
    ...ServerReflectionDefinition,
    fullName: `grpc.reflection.${version}.ServerReflection`,
  } as typeof ServerReflectionDefinition);
  const ask = async function* () {
    yield ServerReflectionRequest.fromPartial({ messageRequest: question });
  };
  for await (const { messageResponse } of client.serverReflectionInfo(ask())) return messageResponse;
  throw new Error("no answer");
}
