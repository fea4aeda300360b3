/** What browsers, monitors and curl get from a broker: health and numbers. */
import { text } from "node:stream/consumers";
import { describe, expect, test as plainTest } from "vitest";
import { startBroker } from "../support/broker.ts";
import { ask, connectClients, open, post, refusedOverHttp } from "../support/http.ts";
import { startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { onEachStore, onStore } from "./broker-test.ts";
import { buryAll } from "./steering.ts";
import { enqueueMany } from "./tasks.ts";

onEachStore((test) => {
  test("GET /stats has the numbers of GetStats", async ({ broker, rpc, queue }) => {
    await enqueueMany(rpc, queue, 3);

    const counters = await until("the shared numbers are fresh", async () => {
      const { stats } = (await ask(broker.httpAddress, "/stats")).json;
      return stats.queues.find((one: { name: string }) => one.name === queue)?.counters;
    });

    expect(counters).toMatchObject({ enqueued: "3", ready: "3", dead: "0" });
  });

  test("GET /queues lists queues page by page", async ({ broker, rpc, queue }) => {
    for (const name of ["a", "b"]) await enqueueMany(rpc, `${queue}.${name}`, 1);

    const query = `?pageSize=1&pageToken=${queue}.a`;
    const { status, json } = await ask(broker.httpAddress, `/queues${query}`);

    expect(status).toBe(200);
    expect(json.queues).toMatchObject([{ name: `${queue}.b`, counters: { enqueued: "1" } }]);
    const wrong = await ask(broker.httpAddress, "/queues?pageSize=1001");
    expect({ status: wrong.status, code: wrong.json.code }).toEqual({ status: 400, code: "invalid_argument" });
    const unknown = await ask(broker.httpAddress, "/queues?size=1");
    expect({ status: unknown.status, message: unknown.json.message }).toEqual({
      status: 400,
      message: "size: is no field of ListQueuesRequest: it has pageSize, pageToken",
    });
  });

  test.for([
    ["/queues?pageSize=1&pageSize=2", "pageSize: is given more than once"],
    ["/failed?state=TASK_STATE_READY", "state: is always TASK_STATE_DEAD here: leave it out, or call the RPC"],
    ["/events/stats?interval=1", 'interval: is "1"; must be seconds, such as "1.5s"'],
  ] as const)("a query that would not do what it says is refused: %s", async ([path, message], { broker }) => {
    const { status, json } = await ask(broker.httpAddress, path);

    expect({ status, code: json.code, message: json.message }).toEqual({
      status: 400,
      code: "invalid_argument",
      message,
    });
    expect(json.details[0].debug).toMatchObject({ reason: "INVALID_ARGUMENT" });
  });

  test("GET /failed has as many as it is asked for", async ({ broker, rpc, queue, subscribe }) => {
    const ids = await enqueueMany(rpc, queue, 3);
    await buryAll(rpc, subscribe(), { ids, message: () => "no" });

    const { json } = await ask(broker.httpAddress, `/failed?queue=${queue}&pageSize=2`);

    expect(json.tasks).toHaveLength(2);
    expect(json.nextPageToken).not.toBe("");
  });
});

onStore("embedded", (test) => {
  describe("GET /events/stats", () => {
    test("sends the numbers at once and then at each interval", async ({ broker }) => {
      const startedAt = performance.now();
      const headers = { "last-event-id": "7" };
      const {
        status,
        headers: got,
        text,
      } = await ask(broker.httpAddress, "/events/stats?interval=0.25s&limit=3", {
        headers,
      });

      expect(status).toBe(200);
      expect(got["content-type"]).toBe("text/event-stream");
      expect(performance.now() - startedAt, "two intervals").toBeGreaterThanOrEqual(490);
      const events = [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, data = ""]) => JSON.parse(data));
      expect(events).toHaveLength(3);
      expect(events[0].stats.total).toMatchObject({ dead: expect.stringMatching(/^\d+$/) });
    });

    test("refuses an absurd interval before it begins", async ({ broker }) => {
      const { status, json } = await ask(broker.httpAddress, "/events/stats?interval=0.01s");

      expect(status).toBe(400);
      expect(json).toMatchObject({ code: "invalid_argument", message: expect.stringContaining("interval") });
    });

    test("answers HEAD with its headers alone", async ({ broker }) => {
      const { status, headers, text } = await ask(broker.httpAddress, "/events/stats", { method: "HEAD" });

      expect({ status, type: headers["content-type"], text }).toEqual({
        status: 200,
        type: "text/event-stream",
        text: "",
      });
    });
  });

  test("HEAD has the headers of GET, and no body", async ({ broker }) => {
    const { status, headers, text } = await ask(broker.httpAddress, "/queues", { method: "HEAD" });

    expect({ status, text }).toEqual({ status: 200, text: "" });
    expect(Number(headers["content-length"])).toBeGreaterThan(0);
  });

  describe("a broker that stops", () => {
    test("says that it is not ready before it leaves, and serves meanwhile", async ({
      startOther,
      connectTo,
      queue,
    }) => {
      const broker = await startOther({ drainMs: 60_000 });
      const { rpc, subscribe } = connectTo(broker);
      await enqueueMany(rpc, queue, 1);
      const session = subscribe();
      await session.untilDelivered(1);
      expect((await ask(broker.httpAddress, "/readyz")).json).toEqual({ status: "ready" });

      const stopped = broker.terminate();
      await session.next("drain");

      const { status, json } = await ask(broker.httpAddress, "/readyz");
      expect({ status, json }).toEqual({
        status: 503,
        json: { status: "not ready", reason: "this broker is stopping" },
      });
      expect((await ask(broker.httpAddress, "/healthz")).status).toBe(200);
      expect((await post(broker.httpAddress, "TaskService/Enqueue", { type: "email", queue })).status).toBe(200);
      session.close();
      expect(await stopped).toBe(0);
    });

    test("tells those who watch and those who wait, and is not held up by them", async ({
      startOther,
      connectTo,
      queue,
    }) => {
      const broker = await startOther();
      const { rpc } = connectTo(broker);
      const [taskId = ""] = await enqueueMany(rpc, queue, 1);
      const clients = connectClients(broker.httpAddress, false);
      const events = text(await open(broker.httpAddress, "/events/stats"));
      let messages = 0;
      const watch = async () => {
        for await (const _ of clients.stats.watchStats({})) messages++;
      };
      const watching = refusedOverHttp(watch());
      await until("numbers come", () => messages > 0);
      const waiting = refusedOverHttp(clients.tasks.awaitTask({ taskId }));
      await clients.tasks.getTask({ taskId });

      expect(await broker.terminate()).toBe(0);

      const noEffect = { code: 14, reason: "DRAINING", retryAfterMs: expect.any(Number) };
      expect(await watching).toMatchObject(noEffect);
      expect(await waiting).toMatchObject(noEffect);
      const [, failure = ""] = /event: failed\ndata: (.*)\n\n$/.exec(await events) ?? [];
      expect(JSON.parse(failure)).toMatchObject({ code: "unavailable", message: expect.stringContaining("stopping") });
    });
  });

  test("HTTP can be off", async ({ startOther }) => {
    const broker = await startOther({ httpListen: "off" });

    expect(broker.httpAddress).toBe("off");
  });
});

plainTest("a broker whose Redis is away is not ready, and lives", { timeout: 60_000 }, async () => {
  const redis = await startRedis();
  const { httpAddress, kill } = await startBroker({ store: "redis", redisUrl: redis.url });
  try {
    expect((await ask(httpAddress, "/readyz")).status).toBe(200);

    await redis.kill();
    const { json } = await until("it is not ready", async () => {
      const answer = await ask(httpAddress, "/readyz");
      return answer.status === 503 && answer;
    });
    expect(json).toEqual({ status: "not ready", reason: "the store cannot be reached" });
    expect((await ask(httpAddress, "/healthz")).status).toBe(200);
    const stats = await ask(httpAddress, "/stats");
    expect({ status: stats.status, code: stats.json.code }).toEqual({ status: 503, code: "unavailable" });

    await redis.restart();
    await until("it is ready", async () => (await ask(httpAddress, "/readyz")).status === 200, { withinMs: 20_000 });
  } finally {
    await kill();
    await redis.destroy();
  }
});
