/** What nobody should send to a broker over HTTP, and what it does about it; all the while tasks flow. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect } from "vitest";
import { ask, type HttpQuestion, post, rawSocket } from "../support/http.ts";
import { until } from "../support/until.ts";
import { onStore } from "./broker-test.ts";

const ENQUEUE = "/taskwire.v1.TaskService/Enqueue";
const JSON_TYPE = { "content-type": "application/json" };

onStore("embedded", (test) => {
  describe("a request that is wrong", () => {
    test.for([
      ["malformed JSON", { headers: JSON_TYPE, body: '{"type":' }, 400, "invalid_argument", "is not JSON"],
      ["no JSON at all", { headers: JSON_TYPE, body: "" }, 400, "invalid_argument", "is not JSON"],
      ["a list", { headers: JSON_TYPE, body: "[]" }, 400, "invalid_argument", "is a list; must be an object"],
      [
        "an unknown field",
        { headers: JSON_TYPE, body: '{"tpye":"email"}' },
        400,
        "invalid_argument",
        "tpye: is no field of EnqueueRequest",
      ],
      [
        "a wrong type",
        { headers: JSON_TYPE, body: '{"type":5}' },
        400,
        "invalid_argument",
        "type: is 5; must be a string",
      ],
      ["JSON that nests too deeply", { headers: JSON_TYPE, body: nested(10_000) }, 400, "invalid_argument", "depth"],
      ["no content type", { body: "{}" }, 415, "invalid_argument", "Enqueue takes application/json"],
      [
        "the type of a form",
        { headers: { "content-type": "text/plain" }, body: "{}" },
        415,
        "invalid_argument",
        "text/plain",
      ],
      [
        "gRPC",
        { headers: { "content-type": "application/grpc" }, body: "" },
        415,
        "invalid_argument",
        "port of its own",
      ],
      [
        "no protobuf",
        { headers: { "content-type": "application/proto" }, body: "\x0a\xff" },
        400,
        "invalid_argument",
        "not an encoded",
      ],
      [
        "a wrong deadline",
        { headers: { ...JSON_TYPE, "connect-timeout-ms": "soon" }, body: "{}" },
        400,
        "invalid_argument",
        'is "soon"; must be a whole number of at most 10 digits',
      ],
      [
        "an unknown compression",
        { headers: { ...JSON_TYPE, "content-encoding": "gzip" }, body: "{}" },
        501,
        "unimplemented",
        'is "gzip"; send the request as it is',
      ],
      [
        "an unknown expectation",
        { headers: { ...JSON_TYPE, expect: "miracles" }, body: "{}" },
        417,
        "invalid_argument",
        'Expect is "miracles"',
      ],
      ["GET", { method: "GET" }, 405, "unimplemented", "takes POST, not GET"],
    ] as [string, HttpQuestion, number, string, string][])(
      "with %s is refused in words",
      async ([, question, status, code, words], { broker }) => {
        const answer = await ask(broker.httpAddress, ENQUEUE, question);

        expect({ status: answer.status, code: answer.json.code }).toEqual({ status, code });
        expect(answer.json.message).toContain(words);
        expect(answer.headers["content-type"]).toBe("application/json");
      },
    );

    test("in several fields is told all of them, with their paths", async ({ broker }) => {
      const task = { type: "email", delay: "soon", retry: { backoff: "SLOW", delays: ["1s", 2] }, headers: { a: 1 } };

      const { json } = await post(broker.httpAddress, "TaskService/EnqueueBatch", { tasks: [{ type: "email" }, task] });

      const [info, wrong] = json.details;
      expect(info.debug).toMatchObject({ reason: "INVALID_ARGUMENT", domain: "taskwire" });
      expect(wrong.debug.fieldViolations).toEqual([
        { field: "tasks[1].delay", description: 'is "soon"; must be seconds, such as "1.5s"' },
        {
          field: "tasks[1].retry.backoff",
          description: expect.stringMatching(/^is "SLOW"; must be one of BACKOFF_QUADRATIC, /),
        },
        { field: "tasks[1].retry.delays[1]", description: 'is 2; must be seconds, such as "1.5s"' },
        { field: 'tasks[1].headers["a"]', description: expect.stringMatching(/^is 1; must be a string/) },
      ]);
    });

    test("in what only one of two fields may be is refused", async ({ broker }) => {
      const task = { type: "email", payload: "", json: {} };

      const { status, json } = await post(broker.httpAddress, "TaskService/Enqueue", task);

      expect({ status, code: json.code }).toEqual({ status: 400, code: "invalid_argument" });
      expect(json.message).toContain("payload and json");
      expect(json.details[0].debug).toMatchObject({ reason: "INVALID_ARGUMENT" });
    });

    test("in size is refused, however it comes", async ({ broker, queue }) => {
      const headers = { ...JSON_TYPE };
      const body = Buffer.from(`{"type":"email","queue":"${queue}","payload":"${"A".repeat(10_000_000)}"}`);

      const announced = await ask(broker.httpAddress, ENQUEUE, { headers, body });
      const chunked = await ask(broker.httpAddress, ENQUEUE, {
        headers: { ...headers, "transfer-encoding": "chunked" },
        body,
      });
      const payload = await post(broker.httpAddress, "TaskService/Enqueue", {
        type: "email",
        payload: Buffer.alloc(1024 * 1024 + 1).toString("base64"),
      });

      for (const { status, json } of [announced, chunked]) {
        expect({ status, code: json.code }).toEqual({ status: 429, code: "resource_exhausted" });
        expect(json.message).toContain("TASKWIRE_MAX_PAYLOAD_BYTES");
      }
      expect({ status: payload.status, message: payload.json.message }).toEqual({
        status: 400,
        message: expect.stringContaining("payload: has 1048577 bytes"),
      });
    });

    test.for([
      ["JSON", "application/json", Buffer.from(`{"tasks":[${"{},".repeat(2_000_000)}{}]}`)],
      ["protobuf", "application/proto", Buffer.alloc(4_000_002, "\x0a\x00")],
    ] as const)("in the number of its tasks is refused at once, as %s", async ([, type, body], { broker }) => {
      const path = "/taskwire.v1.TaskService/EnqueueBatch";
      const startedAt = performance.now();

      const { status, json } = await ask(broker.httpAddress, path, { headers: { "content-type": type }, body });

      // To read them all took 5 s.
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect({ status, message: json.message }).toEqual({
        status: 400,
        message: "the batch has 2000001 tasks; at most 1000 are allowed: send several",
      });
      expect(json.details[0].debug).toMatchObject({ reason: "BATCH_TOO_LARGE" });
    });

    test("but that is as large as allowed is not", async ({ broker, queue }) => {
      const payload = Buffer.alloc(1024 * 1024).toString("base64");

      const { status } = await post(broker.httpAddress, "TaskService/Enqueue", { type: "email", queue, payload });

      expect(status).toBe(200);
    });

    test("asks before it sends, and is not made to send in vain", async ({ broker }) => {
      const socket = rawSocket(broker.httpAddress);
      socket.write(head("POST", ENQUEUE, { ...JSON_TYPE, "content-length": "10000000", expect: "100-continue" }));

      expect(await firstLine(socket)).toBe("HTTP/1.1 429 Too Many Requests");
      socket.destroy();
    });

    test("that asks before it sends gets its answer", async ({ broker, queue }) => {
      const body = JSON.stringify({ type: "email", queue });
      const socket = rawSocket(broker.httpAddress);
      socket.write(
        head("POST", ENQUEUE, {
          ...JSON_TYPE,
          "content-length": `${body.length}`,
          expect: "100-continue",
          connection: "close",
        }),
      );
      expect(await firstLine(socket)).toBe("HTTP/1.1 100 Continue");

      socket.write(body);

      expect(await text(socket)).toContain("200 OK");
    });

    test.for([
      "/nope",
      "/../../etc/passwd",
      "/..%2f..%2fetc%2fpasswd",
      "//stats",
      "/stats/",
      "/stats/../healthz",
      "http://other.example/stats",
      "/taskwire.v1.TaskService/Nope",
      "/taskwire.v1.TaskService/enqueue",
      "/__proto__",
      "/constructor",
      `/${"x".repeat(8_000)}`,
      "/<script>alert(1)</script>",
    ])("at %s finds nothing", async (path, { broker }) => {
      const { status, headers, json } = await ask(broker.httpAddress, path);

      expect({ status, code: json.code }).toEqual({ status: 404, code: "not_found" });
      expect(json.message.length).toBeLessThan(200);
      expect(headers).toMatchObject({ "content-type": "application/json", "x-content-type-options": "nosniff" });
    });

    test.for(["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])(
      "by %s does nothing to what can only be read",
      async (method, { broker }) => {
        const { status, headers } = await ask(broker.httpAddress, "/stats", { method });

        expect({ status, allow: headers["allow"] }).toEqual({ status: 405, allow: "GET, HEAD" });
        expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
      },
    );

    test("without a host is refused in words", async ({ broker }) => {
      const socket = rawSocket(broker.httpAddress);
      socket.write("GET /stats HTTP/1.1\r\nconnection: close\r\n\r\n");

      expect(await text(socket)).toMatch(/^HTTP\/1.1 403 Forbidden[\s\S]*"permission_denied"[\s\S]*Host/);
    });

    test("with large headers, or that is no HTTP, is refused", async ({ broker }) => {
      const large = await ask(broker.httpAddress, "/stats", { headers: { cookie: "x".repeat(17_000) } });
      expect({ status: large.status, code: large.json.code }).toEqual({ status: 431, code: "resource_exhausted" });

      const socket = rawSocket(broker.httpAddress);
      socket.write("GARBAGE\r\n\r\n");
      expect(await text(socket)).toMatch(/^HTTP\/1.1 400 Bad Request[\s\S]*"invalid_argument"/);
    });
  });

  describe("a request of a web page", () => {
    test.for([
      ["whose name leads here", { host: "evil.example" }],
      ["whose name looks like ours", { host: "localhost.evil.example:8080" }],
      ["of another site", { origin: "http://evil.example" }],
      ["on another port of this machine", { origin: "http://localhost:3000" }],
      ["in a sandbox", { origin: "null" }],
      ["that embeds ours", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
    ] as [string, Record<string, string>][])(
      "%s is refused, whatever it asks for",
      async ([, headers], { broker, queue }) => {
        const task = { type: "email", queue };
        const answers = [
          await ask(broker.httpAddress, "/stats", { headers }),
          await ask(broker.httpAddress, "/events/stats?limit=1", { headers }),
          await post(broker.httpAddress, "TaskService/Enqueue", task, { headers }),
          await ask(broker.httpAddress, "/nope", { headers, method: "OPTIONS" }),
        ];

        for (const { status, json } of answers)
          expect({ status, code: json.code }).toEqual({ status: 403, code: "permission_denied" });
        const { status } = await post(broker.httpAddress, "QueueService/GetQueue", { queue });
        expect(status, "no task came").toBe(404);
      },
    );

    test("of ours is let in, and may do as it is allowed to", async ({ startOther }) => {
      const { httpAddress } = await startOther({ httpAllowedHosts: "broker.example,tasks.example" });
      const [, port] = httpAddress.split(":");

      for (const host of [
        "localhost",
        `localhost:${port}`,
        `127.0.0.1:${port}`,
        "[::1]",
        "broker.example:443",
        "Tasks.Example",
      ]) {
        const headers = { host, origin: `https://${host}`.toLowerCase(), "sec-fetch-site": "same-origin" };
        const { status, headers: got } = await ask(httpAddress, "/stats", { headers });
        expect(status, host).toBe(200);
        expect(got).toMatchObject({
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer",
          "content-security-policy": expect.stringMatching(/default-src 'self'.*frame-ancestors 'none'/),
        });
        expect(Object.keys(got).filter((name) => name.startsWith("access-control-"))).toEqual([]);
      }
    });
  });

  describe("tasks flow while", () => {
    test("a body comes too slowly, which is cut off", async ({ startOther, connectTo, queue }) => {
      const broker = await startOther({ httpRequestTimeoutMs: 300 });
      const { rpc, subscribe } = connectTo(broker);
      const slow = rawSocket(broker.httpAddress);
      slow.write(`${head("POST", ENQUEUE, { ...JSON_TYPE, "content-length": "1000" })}{"type":`);
      const answer = text(slow);

      await post(broker.httpAddress, "TaskService/Enqueue", { type: "email", queue });
      await subscribe().untilDelivered(1);

      expect(await answer).toMatch(/^HTTP\/1.1 408 Request Timeout[\s\S]*"deadline_exceeded"/);
      expect((await rpc.queues.getQueue({ queue })).queue?.counters?.enqueued).toBe(1);
    });

    test("2,000 connections do nothing", { timeout: 60_000 }, async ({ startOther, connectTo, queue }) => {
      const broker = await startOther();
      const { subscribe } = connectTo(broker);
      const session = subscribe({ window: { maxInFlight: 100 } });
      const sockets = await openIdle(broker.httpAddress, 2_000);
      try {
        const startedAt = performance.now();
        for (let i = 1; i <= 100; i++) {
          const { status } = await post(broker.httpAddress, "TaskService/Enqueue", { type: "email", queue });
          expect(status).toBe(200);
        }
        const deliveries = await session.untilDelivered(100);
        await session.settle({ ackTags: deliveries.map(({ tag }) => tag) });

        expect(performance.now() - startedAt).toBeLessThan(10_000);
        const open = sockets.filter((socket) => socket.readyState === "open");
        expect(open.length, "they are still there").toBeGreaterThan(1_900);
      } finally {
        for (const socket of sockets) socket.destroy();
      }
      expect(await broker.terminate()).toBe(0);
    });
  });

  test("a broker that stops is not held up by connections that do nothing", async ({ startOther }) => {
    const broker = await startOther();
    const sockets = await openIdle(broker.httpAddress, 10);
    const [half] = sockets;
    half?.write(`${head("POST", ENQUEUE, { ...JSON_TYPE, "content-length": "1000" })}{`);
    await ask(broker.httpAddress, "/healthz");

    expect(await broker.terminate()).toBe(0);

    await until("all are closed", () => sockets.every((socket) => socket.readyState !== "open"));
  });
});

function nested(depth: number): string {
  return `{"type":"email","json":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}`;
}

function head(method: string, path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ host: "localhost", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

async function firstLine(socket: Socket): Promise<string> {
  const [bytes] = (await once(socket, "data")) as [Buffer];
  return bytes.toString().split("\r\n")[0] ?? "";
}

async function openIdle(address: string, count: number): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: count }, () => rawSocket(address));
  await Promise.all(
    sockets.map((socket) => {
      // They are closed by the broker at times, and that is all right.
      socket.resume().on("error", () => undefined);
      return once(socket, "connect");
    }),
  );
  return sockets;
}
