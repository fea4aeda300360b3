import { once } from "node:events";
import { Cancel_Reason, Nack_Action } from "@taskwire/proto";
import { describe, expect, it } from "vitest";
import { Retry, TaskCancelled } from "./errors.ts";
import { Worker } from "./worker.ts";
import { freePort, gate, json, makeWorker, startBroker } from "./worker-fixture.ts";

describe("a session", () => {
  it("begins with a Hello that says who the worker is and how much it may hold", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker, { concurrency: 3, prefetch: 2, labels: { version: "7" } });
    worker.handle("email", () => {}).handle("media/resize", () => {});

    void worker.run();

    const { hello } = await broker.session(1);
    expect(hello).toMatchObject({
      workerId: worker.id,
      labels: { version: "7" },
      concurrency: 3,
      sdk: expect.stringMatching(/^taskwire-ts\//),
    });
    expect(worker.id).toMatch(/^[A-Za-z0-9._-]+-[0-9a-f]{8}$/);
    expect(hello.window).toEqual({ maxInFlight: 5, maxInFlightBytes: 0 });
    expect(hello.queues).toEqual([
      { queue: "email", maxInFlight: 0, types: ["email"] },
      { queue: "media.resize", maxInFlight: 0, types: ["media/resize"] },
    ]);
  });

  it("warns of types whose own queue is not among those that were named, when others' are", async () => {
    const broker = await startBroker();
    const { worker, logs } = makeWorker(broker, { queues: ["email"] });
    worker.handle("email", () => {}).handle("media/resize", () => {});

    void worker.run();
    await broker.session(1);

    expect(logs.lines.filter((line) => line["level"] === 40)).toMatchObject([
      {
        types: ["media/resize"],
        queues: ["email"],
        msg: "tasks of these types come only if they are enqueued into the queues of this worker: their own queues are not among them",
      },
    ]);
  });

  it.each([[["other"]], [["email", "media.resize"]], [undefined]])(
    "warns of nothing with the queues %j",
    async (queues) => {
      const broker = await startBroker();
      const { worker, logs } = makeWorker(broker, queues ? { queues } : {});
      worker.handle("email", () => {}).handle("media/resize", () => {});

      void worker.run();
      await broker.session(1);

      expect(logs.lines.filter((line) => line["level"] === 40)).toEqual([]);
    },
  );

  it("sends heartbeats at the interval that Welcome names", async () => {
    const broker = await startBroker({ heartbeatMs: 20 });
    const { worker } = makeWorker(broker);
    void worker.handle("email", () => {}).run();

    const session = await broker.session(1);

    await session.until(() => session.all("heartbeat").length >= 3);
    expect(
      session
        .all("heartbeat")
        .map(({ sequence }) => sequence)
        .slice(0, 3),
    ).toEqual([1, 2, 3]);
  });

  it("is given up when the broker is silent for the session timeout, and another one is opened", async () => {
    const broker = await startBroker({ heartbeatMs: 20, sessionTimeoutMs: 100 });
    const { worker, logs } = makeWorker(broker);
    void worker.handle("email", () => {}).run();

    await broker.session(2);

    expect(logs.named("disconnected")[0]).toMatchObject({
      reason: expect.stringMatching(/^the broker was silent for \d+ ms$/),
    });
  });

  it("stays open as long as the broker is heard", async () => {
    const broker = await startBroker({ heartbeatMs: 100, sessionTimeoutMs: 1_000 });
    const { worker } = makeWorker(broker);
    void worker.handle("email", () => {}).run();

    const session = await broker.session(1);
    session.call.on("data", () => session.send({ $case: "heartbeat", value: { sequence: 1 } }));
    await session.until(() => session.hasEnded || session.all("heartbeat").length >= 12);

    expect(session.hasEnded).toBe(false);
  });

  it("goes to the next address when a broker cannot be reached", async () => {
    const broker = await startBroker();
    const { worker, logs } = makeWorker([`127.0.0.1:${await freePort()}`, broker]);
    void worker.handle("email", () => {}).run();

    await broker.session(1);

    expect(logs.named("cannot connect, trying again")).toHaveLength(1);
  });
});

describe("a task", () => {
  it("is handed to the handler of its type, whose result is its outcome", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker);
    const seen: unknown[] = [];
    worker.handle<{ to: string }>("email", async (task, ctx) => {
      seen.push([task.id, task.payload.to, task.attempt, ctx.attempt, task.headers]);
      return { sent: task.payload.to };
    });
    worker.handle("noop", () => undefined);
    void worker.run();

    const session = await broker.session(1);
    session.deliver({ id: "a", headers: { h: "1" }, ...json({ to: "x@y.z" }) }, { type: "noop" });
    await session.untilSettled(2);

    expect(seen).toEqual([["a", "x@y.z", 1, 1, { h: "1" }]]);
    expect(session.settled.get(1)).toEqual({ $case: "ack", value: { result: Buffer.from('{"sent":"x@y.z"}') } });
    expect(session.all("settle").flatMap(({ ackTags }) => ackTags)).toEqual([2]);
  });

  it("fails clearly when there is no handler for its type, or its payload is not what it says", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker);
    void worker.handle("email", (task) => task.payload).run();

    const session = await broker.session(1);
    session.deliver({ type: "other" }, { payload: Buffer.from("{"), contentType: "application/json" });
    await session.untilSettled(2);

    expect(session.settled.get(1)?.value).toMatchObject({
      action: Nack_Action.UNSPECIFIED,
      errorType: "NoHandler",
      errorMessage: "no handler registered for task type: other",
    });
    expect(session.settled.get(2)?.value).toMatchObject({
      action: Nack_Action.DEAD_LETTER,
      errorType: "InvalidPayload",
      errorMessage: expect.stringContaining("the payload of this email task is not JSON"),
    });
  });

  it("goes on as its handler's error says, thrown or rejected", async () => {
    const broker = await startBroker();
    const { worker, logs } = makeWorker(broker);
    worker.handle("email", async () => {
      throw new Retry(5_000, "busy");
    });
    worker.handle("sync", () => {
      throw new TypeError("broken");
    });
    void worker.run();

    const session = await broker.session(1);
    session.deliver({}, { type: "sync", id: "s" });
    await session.untilSettled(2);

    expect(session.settled.get(1)?.value).toMatchObject({
      action: Nack_Action.RETRY,
      retryDelay: { seconds: 5, nanos: 0 },
    });
    expect(session.settled.get(2)?.value).toMatchObject({
      action: Nack_Action.UNSPECIFIED,
      errorType: "TypeError",
      errorMessage: "broken",
    });
    expect(logs.named("attempt failed")).toMatchObject([{ taskId: "s", type: "sync", level: 40 }]);
  });

  it("passes through middleware, the first one outermost, which sees and may change the result", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker);
    const order: string[] = [];
    worker.use(async (_task, _ctx, next) => {
      order.push("outer");
      return { wrapped: await next() };
    });
    worker.use((_task, _ctx, next) => {
      order.push("inner");
      return next();
    });
    void worker.handle("email", () => order.push("handler")).run();

    const session = await broker.session(1);
    session.deliver({});
    await session.untilSettled(1);

    expect(order).toEqual(["outer", "inner", "handler"]);
    expect(session.settled.get(1)?.value).toEqual({ result: Buffer.from('{"wrapped":3}') });
  });

  it("waits when `concurrency` handlers run already", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker, { concurrency: 2, prefetch: 2 });
    const gates = [gate(), gate(), gate()];
    const started: string[] = [];
    worker.handle("email", async ({ id }) => {
      started.push(id);
      await gates[Number(id)]?.opened;
    });
    void worker.run();

    const session = await broker.session(1);
    session.deliver({ id: "0" }, { id: "1" }, { id: "2" });
    gates[1]?.open();
    await session.untilSettled(1);

    expect([...session.settled.keys()]).toEqual([2]);
    expect(started).toEqual(["0", "1", "2"]);
    for (const { open } of gates) open();
    await session.untilSettled(3);
  });

  it("tells its progress, once per turn, and asks for more time", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker);
    const told = gate();
    worker.handle("email", async (_task, ctx) => {
      ctx.extend(90_000);
      ctx.progress(10);
      ctx.progress(250, { step: "sent" });
      await told.opened;
    });
    void worker.run();

    const session = await broker.session(1);
    session.deliver({});
    await session.until(() => session.all("extend").length > 0 && session.all("progress").length > 0);
    told.open();
    await session.untilSettled(1);

    expect(session.all("extend")).toEqual([{ tags: [1], timeout: { seconds: 90, nanos: 0 } }]);
    expect(session.all("progress")).toEqual([{ tag: 1, percent: 100, detail: Buffer.from('{"step":"sent"}') }]);
  });

  it("that is cancelled hears why, is not settled, and keeps its slot until the handler returns", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker, { concurrency: 3 });
    const reasons: unknown[] = [];
    const running = gate();
    const ending = gate();
    worker.handle("email", async (_task, { signal }) => {
      running.open();
      await once(signal, "abort");
      reasons.push(signal.reason);
      await ending.opened;
      return "too late";
    });
    void worker.run();

    const session = await broker.session(1);
    const [tag = 0] = session.deliver({});
    await running.opened;
    session.send({ $case: "cancel", value: { tags: [tag, 99], reason: Cancel_Reason.TIMEOUT } });
    await session.until(() => session.all("window").length === 1);
    ending.open();
    await session.until(() => session.all("window").length === 2);

    expect(reasons).toEqual([new TaskCancelled("timeout")]);
    expect(session.all("window").map(({ maxInFlight }) => maxInFlight)).toEqual([2, 3]);
    expect(session.settled.size).toBe(0);
  });

  it.for([
    // A number that no version has yet.
    [77 as Cancel_Reason, "revoked"],
    [Cancel_Reason.CANCELLED, "cancelled"],
  ] as const)("that is cancelled for reason %s hears %s", async ([reason, heard]) => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker, {});
    const stopped = gate<unknown>();
    const running = gate();
    worker.handle("email", async (_task, { signal }) => {
      running.open();
      await once(signal, "abort");
      stopped.open(signal.reason);
    });
    void worker.run();

    const session = await broker.session(1);
    const [tag = 0] = session.deliver({});
    await running.opened;
    session.send({ $case: "cancel", value: { tags: [tag], reason } });

    expect(await stopped.opened).toEqual(new TaskCancelled(heard));
  });

  it("that is cancelled is answered with a sign of life, after the window that is left", async () => {
    const broker = await startBroker({ heartbeatMs: 100_000, sessionTimeoutMs: 300_000 });
    const { worker } = makeWorker(broker, { concurrency: 3 });
    const running = gate();
    worker.handle("email", async () => {
      running.open();
      await gate().opened;
    });
    void worker.run();

    const session = await broker.session(1);
    const [tag = 0] = session.deliver({});
    await running.opened;
    session.send({ $case: "cancel", value: { tags: [tag], reason: Cancel_Reason.TIMEOUT } });
    await session.until(() => session.all("heartbeat").length > 0);

    expect(session.received.map(({ $case }) => $case)).toEqual(["hello", "window", "heartbeat"]);
  });
});

describe("a handler that blocks the event loop", () => {
  it("is named in a warning, and so is the session that it cost", async () => {
    const broker = await startBroker({ heartbeatMs: 1_900, sessionTimeoutMs: 2_000 });
    const { worker, logs } = makeWorker(broker, { blockWarnMs: 400 });
    worker.handle("email", () => {
      const until = performance.now() + 700;
      while (performance.now() < until);
    });
    void worker.run();

    const session = await broker.session(1);
    session.deliver({ id: "heavy" });
    await session.untilSettled(1);
    session.breakOff();
    await broker.session(2);

    const [blocked] = logs.named(
      "the event loop was blocked: no heartbeat goes out meanwhile; work that keeps the CPU busy belongs in worker_threads",
    );
    expect(blocked).toMatchObject({
      level: 40,
      tasks: [{ taskId: "heavy", type: "email", runningMs: expect.any(Number) }],
    });
    expect(logs.lines.some(({ msg }) => String(msg).startsWith("the session was lost because a handler blocked"))).toBe(
      true,
    );
  });
});

describe("options", () => {
  it("that are wrong are named", async () => {
    expect(() => new Worker({ address: "nowhere" })).toThrow('address "nowhere" must be host:port');
    expect(() => new Worker({ address: [] })).toThrow("address must name at least one broker");
    expect(() => new Worker({ concurrency: 0 })).toThrow("concurrency must be a whole number from 1 to 100000, not 0");
    expect(() => new Worker({ queues: ["a b"] })).toThrow('queues: "a b" must be');
    expect(() => new Worker({ workerId: "a/b" })).toThrow("workerId");
    expect(() => new Worker({ sessionTimeoutMs: 10 })).toThrow(
      "sessionTimeoutMs must be from 1000 to 300000 ms, not 10",
    );
    expect(() => new Worker().handle("a b", () => {})).toThrow('task type "a b"');
    expect(() => new Worker().handle("a", () => {}).handle("a", () => {})).toThrow("task type a has a handler already");
    await expect(new Worker({ signals: false }).run()).rejects.toThrow("a worker needs a handler");
  });
});
