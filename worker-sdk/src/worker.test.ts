import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Cancel_Reason, Nack_Action, Rejection_Reason } from "@taskwire/proto";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { Retry, TaskCancelled } from "./errors.ts";
import { FakeBroker, type FakeBrokerOptions, LogLines } from "./fake-broker.ts";
import type { WorkerOptions } from "./options.ts";
import { Worker } from "./worker.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startBroker(options: FakeBrokerOptions = {}): Promise<FakeBroker> {
  const broker = await new FakeBroker(options).start();
  cleanups.push(() => broker.stop());
  return broker;
}

/** A worker that logs to `logs` and is stopped after the test. */
function makeWorker(
  brokers: FakeBroker | readonly (FakeBroker | string)[],
  options: WorkerOptions = {},
): { worker: Worker; logs: LogLines } {
  const logs = new LogLines();
  const addresses = [brokers].flat().map((broker) => (typeof broker === "string" ? broker : broker.address));
  const logger = pino({ level: "debug" }, logs);
  const worker = new Worker({ address: addresses, signals: false, shutdownMs: 200, logger, ...options });
  cleanups.push(() => worker.stop());
  return { worker, logs };
}

/** A promise and the function that resolves it. */
function gate<Value = void>(): { opened: Promise<Value>; open: (value: Value) => void } {
  let open: (value: Value) => void = () => {};
  const opened = new Promise<Value>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

function json(value: unknown): { payload: Uint8Array; contentType: string } {
  return { payload: Buffer.from(JSON.stringify(value)), contentType: "application/json" };
}

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

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
    const broker = await startBroker({ heartbeatMs: 50, sessionTimeoutMs: 300 });
    const { worker } = makeWorker(broker);
    void worker.handle("email", () => {}).run();

    const session = await broker.session(1);
    session.call.on("data", () => session.send({ $case: "heartbeat", value: { sequence: 1 } }));
    await session.until(() => session.hasEnded || session.all("heartbeat").length >= 10);

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
    worker.handle("email", async (_task, ctx) => {
      ctx.extend(90_000);
      ctx.progress(10);
      ctx.progress(250, { step: "sent" });
      await sleep(20);
    });
    void worker.run();

    const session = await broker.session(1);
    session.deliver({});
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
});

describe("outcomes", () => {
  it("of one turn travel in few frames with rising ids", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker, { concurrency: 10 });
    worker.handle("sync", () => {}).handle("async", async () => {});
    void worker.run();

    const session = await broker.session(1);
    session.deliver(...Array.from({ length: 200 }, (_, n) => ({ type: n % 2 ? "sync" : "async" })));
    await session.untilSettled(200);

    const settles = session.all("settle");
    expect(settles.length).toBeLessThanOrEqual(20);
    expect(settles.map(({ settleId }) => settleId)).toEqual(settles.map((_, index) => index + 1));
  });

  it("are kept until confirmed: sent again when the store was away, replaced when invalid, dropped when stale", async () => {
    const broker = await startBroker({ autoConfirm: false });
    const { worker, logs } = makeWorker(broker, { concurrency: 4 });
    const settled: unknown[] = [];
    const refused: unknown[] = [];
    worker.on("settled", ({ taskId, outcome }) => settled.push([taskId, outcome]));
    worker.on("refused", ({ taskId, reason }) => refused.push([taskId, reason]));
    void worker.handle("email", ({ id }) => id).run();

    const session = await broker.session(1);
    session.deliver({ id: "fine" }, { id: "away" }, { id: "invalid" }, { id: "stale" });
    await session.untilSettled(4);
    const rejection = (tag: number, reason: Rejection_Reason) => ({ tag, reason, message: "because" });
    const { UNAVAILABLE, INVALID, STALE } = Rejection_Reason;
    const rejections = [rejection(2, UNAVAILABLE), rejection(3, INVALID), rejection(4, STALE)];
    session.send({ $case: "settleResult", value: { settleId: 1, rejections } });
    await session.until(() => session.all("settle").length === 3);

    const [, second, third] = session.all("settle");
    expect(second?.outcomes).toMatchObject([
      {
        tag: 3,
        result: { value: { action: Nack_Action.DEAD_LETTER, errorMessage: "the broker refused the outcome: because" } },
      },
    ]);
    expect(third?.outcomes).toMatchObject([{ tag: 2, result: { $case: "ack" } }]);
    expect(settled).toEqual([["fine", "ack"]]);
    expect(refused).toEqual([["stale", "stale"]]);
    expect(logs.named("the outcome of an attempt did not count")).toMatchObject([{ taskId: "stale", level: 40 }]);
    for (const settleId of [2, 3]) session.send({ $case: "settleResult", value: { settleId, rejections: [] } });
  });

  it("of large size are split over several frames", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker, { concurrency: 5 });
    void worker.handle("email", () => new Uint8Array(700_000)).run();

    const session = await broker.session(1);
    session.deliver({}, {}, {});
    await session.untilSettled(3);

    expect(session.all("settle")).toHaveLength(3);
  });
});

describe("when the stream breaks", () => {
  it("running handlers go on, and their outcomes are settled by token after the reconnect", async () => {
    const first = await startBroker();
    const second = await startBroker();
    const { worker } = makeWorker([first, second], { concurrency: 2, prefetch: 1 });
    const ending = gate();
    const started: string[] = [];
    worker.handle("email", async ({ id }) => {
      started.push(id);
      await ending.opened;
      return id;
    });
    const settled = gate<string>();
    worker.on("settled", ({ taskId }) => settled.open(taskId));
    const disconnected = gate();
    worker.on("disconnected", () => disconnected.open());
    void worker.run();

    (await first.session(1)).deliver({ id: "a" }, { id: "b" }, { id: "waits" });
    await expect.poll(() => started).toEqual(["a", "b"]);
    first.stop();
    await disconnected.opened;
    const session = await second.session(1);
    ending.open();
    await session.until(() => session.all("window").some(({ maxInFlight }) => maxInFlight === 3));

    // What ran counted against the new window; what only waited was not ours any more.
    expect(session.hello.window?.maxInFlight).toBe(1);
    expect(session.hello.workerId).toBe(worker.id);
    await settled.opened;
    expect(started).toEqual(["a", "b"]);
    expect(second.settledByToken.flatMap(({ outcomes }) => outcomes)).toEqual([
      { leaseToken: "token-1", result: { $case: "ack", value: { result: Buffer.from('"a"') } } },
      { leaseToken: "token-2", result: { $case: "ack", value: { result: Buffer.from('"b"') } } },
    ]);
  });

  it("unconfirmed outcomes are settled by token, and again while the store is away; stale is no error", async () => {
    const first = await startBroker({ autoConfirm: false });
    let asked = 0;
    const second = await startBroker({
      settleTasks: async () => {
        const reason = ++asked === 1 ? Rejection_Reason.UNAVAILABLE : Rejection_Reason.STALE;
        return [{ settled: false, reason, message: "" }];
      },
    });
    const { worker, logs } = makeWorker([first, second]);
    const refused = gate<string>();
    worker.on("refused", ({ reason }) => refused.open(reason));
    void worker.handle("email", () => {}).run();

    const session = await first.session(1);
    session.deliver({});
    await session.untilSettled(1);
    first.stop();

    expect(await refused.opened).toBe("stale");
    expect(asked).toBe(2);
    expect(logs.named("the outcome of an attempt did not count")).toMatchObject([{ level: 30 }]);
  });

  it("because the broker leaves, another one is subscribed to while the old stream settles what it holds", async () => {
    const first = await startBroker();
    const second = await startBroker();
    const { worker } = makeWorker([first, second], { concurrency: 4 });
    const ending = gate();
    const started = gate();
    worker.handle("email", async () => {
      started.open();
      await ending.opened;
    });
    void worker.run();

    const old = await first.session(1);
    old.deliver({});
    await started.opened;
    old.send({ $case: "drain", value: { grace: { seconds: 10, nanos: 0 }, reason: "deploy" } });
    const next = await second.session(1);
    ending.open();
    await old.until(() => old.hasEnded);

    expect(next.hello.window?.maxInFlight).toBe(3);
    expect([...old.settled.keys()]).toEqual([1]);
    await next.until(() => next.all("window").at(-1)?.maxInFlight === 4);
    expect(second.settledByToken).toEqual([]);
  });

  it("a broker that comes back on its address is found again", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker);
    void worker.handle("email", () => {}).run();

    await broker.session(1);
    broker.stop();
    await broker.start();
    const session = await broker.session(2);
    session.deliver({});

    await session.untilSettled(1);
  });
});

describe("stop", () => {
  it("finishes what runs, gives back what waits, and ends the stream before run resolves", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker, { concurrency: 1, prefetch: 5, shutdownMs: 5_000 });
    const ending = gate();
    const started = gate();
    worker.handle("email", async () => {
      started.open();
      await ending.opened;
    });
    const run = worker.run();
    const session = await broker.session(1);
    session.deliver({}, {});
    await started.opened;

    const stopped = worker.stop();
    await session.until(() => session.all("stopDelivery").length === 1);
    session.deliver({ id: "crossed on the wire" });
    await session.untilSettled(2);
    ending.open();
    await Promise.all([run, stopped, worker.stop()]);

    expect(session.hasEnded).toBe(true);
    expect([...session.settled].map(([tag, result]) => [tag, result?.$case])).toEqual([
      [2, "release"],
      [3, "release"],
      [1, "ack"],
    ]);
  });

  it("aborts and gives back what does not finish within shutdownMs", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker, { shutdownMs: 30 });
    const reason = gate<unknown>();
    const started = gate();
    worker.handle("email", async (_task, { signal }) => {
      started.open();
      await once(signal, "abort");
      reason.open(signal.reason);
      throw signal.reason;
    });
    const run = worker.run();
    const session = await broker.session(1);
    session.deliver({});
    await started.opened;

    await worker.stop();
    await run;

    expect(await reason.opened).toEqual(new TaskCancelled("shutdown"));
    expect(session.settled.get(1)).toEqual({ $case: "release", value: { delay: undefined } });
    expect(session.hasEnded).toBe(true);
  });

  it("settles by token what ran when no broker was connected", async () => {
    const broker = await startBroker();
    const { worker } = makeWorker(broker, { shutdownMs: 5_000 });
    const ending = gate();
    const started = gate();
    worker.handle("email", async () => {
      started.open();
      await ending.opened;
    });
    const disconnected = gate();
    worker.on("disconnected", () => disconnected.open());
    const run = worker.run();
    (await broker.session(1)).deliver({});
    await started.opened;
    broker.stop();
    await disconnected.opened;

    const stopped = worker.stop();
    await broker.start();
    ending.open();
    await Promise.all([run, stopped]);

    expect(broker.settledByToken.flatMap(({ outcomes }) => outcomes)).toMatchObject([{ leaseToken: "token-1" }]);
  });

  it("is quick when no broker can be reached, and before run", async () => {
    const { worker } = makeWorker([`127.0.0.1:${await freePort()}`]);
    const run = worker.handle("email", () => {}).run();

    await worker.stop();
    await run;

    const { worker: unused } = makeWorker([`127.0.0.1:${await freePort()}`]);
    await unused.stop();
    expect(() => unused.handle("email", () => {})).toThrow(
      "handle() must be called before the worker is started or stopped",
    );
  });
});

describe("a handler that blocks the event loop", () => {
  it("is named in a warning, and so is the session that it cost", async () => {
    const broker = await startBroker({ heartbeatMs: 900, sessionTimeoutMs: 1_000 });
    const { worker, logs } = makeWorker(broker, { blockWarnMs: 50 });
    worker.handle("email", () => {
      const until = performance.now() + 200;
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
