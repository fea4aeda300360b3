import { once } from "node:events";
import { Nack_Action, Rejection_Reason } from "@taskwire/proto";
import { describe, expect, it } from "vitest";
import { TaskCancelled } from "./errors.ts";
import { freePort, gate, makeWorker, startBroker } from "./worker-fixture.ts";

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
    // The second broker never saw them: it is told who ran them, and for how long.
    const duration = expect.objectContaining({ nanos: expect.any(Number) });
    expect(second.settledByToken.flatMap(({ outcomes }) => outcomes)).toEqual([
      { leaseToken: "token-1", result: { $case: "ack", value: { result: Buffer.from('"a"') } }, duration },
      { leaseToken: "token-2", result: { $case: "ack", value: { result: Buffer.from('"b"') } }, duration },
    ]);
    expect(second.settledByToken.map(({ workerId }) => workerId)).toContain(worker.id);
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
