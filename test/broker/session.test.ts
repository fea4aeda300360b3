/** The frames of Subscribe: Hello and Welcome, windows, the end of delivery, signs of life. */
import { TaskState } from "@taskwire/proto";
import { describe, expect } from "vitest";
import { connect } from "../support/rpc.ts";
import { WireSession } from "../support/session.ts";
import { until } from "../support/until.ts";
import { helloTo, onEachStore, onStore } from "./broker-test.ts";
import { enqueueMany, untilState } from "./tasks.ts";

const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;

onEachStore((test) => {
  describe("Hello", () => {
    test("is answered with Welcome at once", async ({ subscribe }) => {
      const session = subscribe({ sessionTimeout: { seconds: 9 } });

      expect(await session.next("welcome")).toMatchObject({
        sessionTimeout: { seconds: 9, nanos: 0 },
        heartbeatInterval: { seconds: 3, nanos: 0 },
        window: { maxInFlight: 10 },
        notices: [],
      });
    });

    test("must be the first frame", async ({ rpc }) => {
      const session = new WireSession(rpc.connection);

      session.send({ $case: "heartbeat", value: { sequence: 1 } });

      expect(await session.ended()).toMatchObject({ code: INVALID_ARGUMENT, reason: "HELLO_EXPECTED" });
    });

    test("must not come twice", async ({ subscribe, queue }) => {
      const session = subscribe();
      await session.next("welcome");

      session.hello(helloTo(queue));

      expect(await session.ended()).toMatchObject({ code: INVALID_ARGUMENT, reason: "HELLO_EXPECTED" });
    });

    test("names everything that is wrong with it at once", async ({ subscribe }) => {
      const session = subscribe({
        workerId: "no spaces",
        queues: [{ queue: "{}" }, { queue: "ok", types: ["*"] }, { queue: "ok" }],
        window: undefined,
        sessionTimeout: { seconds: 100_000 },
      });

      const { code, fields } = await session.ended();

      expect(code).toBe(INVALID_ARGUMENT);
      expect(fields.map(({ field }) => field).sort()).toEqual([
        "hello.queues[0].queue",
        "hello.queues[1].types[0]",
        "hello.queues[2].queue",
        "hello.session_timeout",
        "hello.window",
        "hello.worker_id",
      ]);
    });

    test("with a window above the broker's is told what it gets", async ({ subscribe }) => {
      const session = subscribe({ window: { maxInFlight: 1_000_000, maxInFlightBytes: 2 ** 40 } });

      const { window, notices } = await session.next("welcome");

      expect(window).toEqual({ maxInFlight: 10_000, maxInFlightBytes: 64 * 1024 * 1024 });
      expect(notices).toEqual([
        "window.max_in_flight 1000000 clamped to 10000",
        `window.max_in_flight_bytes ${2 ** 40} clamped to ${64 * 1024 * 1024}`,
      ]);
    });
  });

  test("a frame that the broker does not know is ignored", async ({ subscribe }) => {
    const session = subscribe();
    await session.next("welcome");

    // Field 100, one byte.
    session.sendBytes(Buffer.of(0xa2, 0x06, 0x01, 0x00));

    await session.roundTrip();
  });

  describe("the window", () => {
    test("is never exceeded, and refilled as tasks are settled", async ({ rpc, queue, subscribe }) => {
      await enqueueMany(rpc, queue, 20);
      const session = subscribe({ window: { maxInFlight: 3 } });

      for (let settled = 0; settled < 20; settled++) {
        const deliveries = await session.untilDelivered(Math.min(20, settled + 3));
        expect(deliveries.length - settled, "unsettled").toBeLessThanOrEqual(3);
        await session.settle({ ackTags: [deliveries[settled]?.tag ?? 0] });
      }

      expect(session.deliveries).toHaveLength(20);
    });

    test("of 0 pauses, and a larger one goes on", async ({ rpc, queue, subscribe }) => {
      const session = subscribe({ window: { maxInFlight: 0 } });
      await session.next("welcome");
      await enqueueMany(rpc, queue, 5);
      const other = subscribe({ window: { maxInFlight: 1 } });
      // A session with room got one: those without were passed over.
      await other.untilDelivered(1);
      await session.roundTrip();
      expect(session.deliveries).toHaveLength(0);

      session.send({ $case: "window", value: { maxInFlight: 4, maxInFlightBytes: 0 } });

      await session.untilDelivered(4);
    });

    test("made smaller is in force from then on", async ({ rpc, queue, subscribe }) => {
      const session = subscribe({ window: { maxInFlight: 4 } });
      await enqueueMany(rpc, queue, 10);
      const tags = (await session.untilDelivered(4)).map(({ tag }) => tag);

      session.send({ $case: "window", value: { maxInFlight: 1, maxInFlightBytes: 0 } });
      await session.settle({ ackTags: tags.slice(0, 3) });
      await session.roundTrip();
      expect(session.deliveries, "one is still held").toHaveLength(4);

      await session.settle({ ackTags: tags.slice(3) });
      await session.untilDelivered(5);
      await session.roundTrip();
      expect(session.deliveries).toHaveLength(5);
    });

    test("of bytes is exceeded by one task at most", async ({ rpc, queue, subscribe }) => {
      await enqueueMany(rpc, queue, 10, { payload: Buffer.alloc(1_000) });
      const session = subscribe({ window: { maxInFlight: 100, maxInFlightBytes: 2_500 } });

      await session.untilDelivered(2);
      await session.roundTrip();
      await session.roundTrip();
      expect(session.deliveries.length).toBeLessThanOrEqual(3);

      for (let settled = 0; settled < 10; settled++) {
        await session.untilDelivered(settled + 1);
        await session.settle({ ackTags: [session.deliveries[settled]?.tag ?? 0] });
        expect(session.deliveries.length - settled - 1).toBeLessThanOrEqual(3);
      }
    });

    test("of one queue bounds only that queue", async ({ rpc, queue, subscribe }) => {
      await enqueueMany(rpc, queue, 5);
      await enqueueMany(rpc, `${queue}.other`, 5);

      const session = subscribe({ queues: [{ queue, maxInFlight: 2 }, { queue: `${queue}.other` }] });

      await session.untilDelivered(7);
      await session.roundTrip();
      expect(session.deliveries.filter(({ task }) => task?.queue === queue)).toHaveLength(2);
    });
  });

  describe("StopDelivery", () => {
    test("is confirmed, and nothing is delivered after it", async ({ rpc, queue, subscribe }) => {
      const session = subscribe();
      await enqueueMany(rpc, queue, 3);
      await session.untilDelivered(3);

      session.send({ $case: "stopDelivery", value: {} });
      const { lastTag } = await session.next("deliveryStopped");
      await enqueueMany(rpc, queue, 3);
      const { rejections } = await session.settle({ ackTags: session.deliveries.map(({ tag }) => tag) });

      expect(lastTag).toBe(session.deliveries.at(-1)?.tag);
      expect(rejections).toEqual([]);
      expect(session.deliveries).toHaveLength(3);
      const other = subscribe();
      await other.untilDelivered(3);
    });

    test("while tasks stream in leaves none behind", async ({ rpc, queue, subscribe }) => {
      const session = subscribe({ window: { maxInFlight: 1_000 } });
      const enqueuing = Promise.all(Array.from({ length: 10 }, () => enqueueMany(rpc, queue, 20)));
      await session.untilDelivered(1);

      session.send({ $case: "stopDelivery", value: {} });
      const { lastTag } = await session.next("deliveryStopped");
      await enqueuing;

      expect(session.deliveries.at(-1)?.tag).toBe(lastTag);
      const before = session.deliveries.length;
      const other = subscribe({ window: { maxInFlight: 1_000 } });
      await other.untilDelivered(200 - before);
      expect(session.deliveries).toHaveLength(before);
    });
  });

  describe("the end of a stream", () => {
    test("by its worker is well once everything was settled", async ({ rpc, queue, subscribe }) => {
      await enqueueMany(rpc, queue, 1);
      const session = subscribe();
      const [delivery] = await session.untilDelivered(1);

      session.send({
        $case: "settle",
        value: { settleId: 99, ackTags: [delivery?.tag ?? 0], outcomes: [] },
      });
      session.close();

      expect(await session.ended()).toMatchObject({ code: 0 });
      expect(session.frames.at(-1)).toEqual({ $case: "settleResult", value: { settleId: 99, rejections: [] } });
    });

    test("by a cut gives its tasks to others at once, and spends no attempt", async ({ rpc, queue, subscribe }) => {
      await enqueueMany(rpc, queue, 3);
      const session = subscribe();
      await session.untilDelivered(3);
      const other = subscribe();
      await other.next("welcome");

      const cutAt = performance.now();
      session.cut();
      const again = await other.untilDelivered(3);

      // Long before the session would time out, after 30 s.
      expect(performance.now() - cutAt, "ms until redelivery").toBeLessThan(5_000);
      expect(again.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
      const { status } = await rpc.tasks.getTask({ taskId: again[0]?.task?.id ?? "" });
      expect(status?.lostCount).toBe(1);
    });
  });

  describe("signs of life", () => {
    test("come from the broker by themselves", async ({ subscribe }) => {
      const session = subscribe({ sessionTimeout: { seconds: 2 } });
      const beating = setInterval(() => session.send({ $case: "heartbeat", value: { sequence: 1 } }), 200);

      const first = await session.next("heartbeat");
      const later = await session.next("heartbeat", ({ sequence }) => sequence >= 5);
      clearInterval(beating);

      expect(first.sequence).toBe(1);
      // 5 heartbeats are more than the session timeout: a worker that sends is not given up.
      expect(later.sequence).toBe(5);
    });

    test("that are missing end the session, and its tasks go to others", async ({ rpc, queue, subscribe }) => {
      await enqueueMany(rpc, queue, 2);
      const silent = subscribe({ sessionTimeout: { seconds: 1 } });
      await silent.untilDelivered(2);
      const other = subscribe();

      const { code, reason, message } = await silent.ended();

      expect({ code, reason }).toEqual({ code: DEADLINE_EXCEEDED, reason: "SESSION_TIMED_OUT" });
      expect(message).toMatch(/^the worker was silent for \d s$/);
      await other.untilDelivered(2);
    });
  });

  describe("a worker whose task has timed out", () => {
    const quick = { timeout: { nanos: 200e6 }, retry: { delays: [{ nanos: 1e6 }] } };

    test("gets nothing more while it is silent: what timed out goes to another", async ({ rpc, queue, subscribe }) => {
      const frozen = subscribe();
      await frozen.next("welcome");
      await enqueueMany(rpc, queue, 5, quick);
      await frozen.untilDelivered(5);
      const idle = subscribe();
      await idle.next("welcome");

      const again = [...(await idle.untilDelivered(5))];
      const tags = again.map(({ tag }) => tag);
      await idle.settle({ ackTags: tags });
      await enqueueMany(rpc, queue, 10);
      await idle.untilDelivered(15);

      expect(again.map(({ attempt }) => attempt)).toEqual([2, 2, 2, 2, 2]);
      expect(frozen.deliveries).toHaveLength(5);
    });

    test("gets tasks again with its next frame", async ({ rpc, queue, subscribe }) => {
      const session = subscribe();
      await session.next("welcome");
      await enqueueMany(rpc, queue, 1, quick);
      const [first] = await session.untilDelivered(1);
      await session.next("cancel", ({ tags }) => tags.includes(first?.tag ?? 0));
      await untilState(rpc, first?.task?.id ?? "", TaskState.READY);

      session.send({ $case: "heartbeat", value: { sequence: 1 } });

      const [, again] = await session.untilDelivered(2);
      expect(again?.attempt).toBe(2);
    });

    test("gets only what fits into the window that its next frame sets", async ({ rpc, queue, subscribe }) => {
      const session = subscribe({ window: { maxInFlight: 1 } });
      await session.next("welcome");
      await enqueueMany(rpc, queue, 1, quick);
      const [first] = await session.untilDelivered(1);
      await untilState(rpc, first?.task?.id ?? "", TaskState.READY);

      session.send({ $case: "window", value: { maxInFlight: 0, maxInFlightBytes: 0 } });
      await session.roundTrip();
      const other = subscribe();

      await other.untilDelivered(1);
      expect(session.deliveries).toHaveLength(1);
    });
  });

  test("a broker that stops drains its workers, and leaves when they have", async ({ startOther, queue }) => {
    const broker = await startOther({ drainMs: 20_000 });
    const rpc = connect(broker.address);
    await enqueueMany(rpc, queue, 2);
    const session = new WireSession(rpc.connection);
    session.hello(helloTo(queue));
    const tags = (await session.untilDelivered(2)).map(({ tag }) => tag);

    const stopped = broker.terminate();

    expect(await session.next("drain")).toMatchObject({ grace: { seconds: 20, nanos: 0 } });
    const { rejections } = await session.settle({ ackTags: tags });
    expect(rejections).toEqual([]);
    const late = new WireSession(rpc.connection);
    late.hello(helloTo(queue));
    expect(await late.ended()).toMatchObject({ code: 14, reason: "DRAINING" });
    session.close();
    expect(await session.ended()).toMatchObject({ code: 0 });
    expect(await stopped, "exit code").toBe(0);
    await until("it has said so", () => broker.log.some(({ msg }) => msg === "broker stopped"));
    rpc.close();
  });
});

onStore("embedded", (test) => {
  test("a stream on which no Hello comes is ended after 10 s", async ({ rpc }) => {
    const openedAt = performance.now();
    // The call is begun, and nothing is said.
    const session = new WireSession(rpc.connection);

    const { code, reason, message } = await session.ended();

    expect({ code, reason }).toEqual({ code: INVALID_ARGUMENT, reason: "HELLO_EXPECTED" });
    expect(message).toContain("no frame came within 10 s");
    expect(performance.now() - openedAt).toBeGreaterThan(9_900);
  });
});
