/** What those hear who have calls under way while a broker stops. */
import { HealthDefinition } from "@taskwire/proto/health";
import { describe, expect } from "vitest";
import { EnqueueWire } from "../support/enqueue-wire.ts";
import { startRedis } from "../support/redis.ts";
import { refused, type TrailerOption } from "../support/rpc.ts";
import { until } from "../support/until.ts";
import { onEachStore, onStore } from "./broker-test.ts";
import { enqueueMany } from "./tasks.ts";

/** That nothing came of it, why it ended, and when to try again. */
const NO_EFFECT = { code: 14, reason: "DRAINING", retryAfterMs: expect.any(Number) };

onEachStore((test) => {
  describe("a broker that stops tells", () => {
    test("those who pull, at once, and gives them no task", async ({ startOther, connectTo, queue }) => {
      const broker = await startOther({ drainMs: 60_000 });
      const { rpc, subscribe } = connectTo(broker);
      const session = subscribe({ window: { maxInFlight: 0 } });
      await session.next("welcome");
      const pull = { workerId: "puller", queues: [queue], wait: { seconds: 60 } };
      const pulling = refused((options) => rpc.workers.pullTasks(pull, options));
      await until("it waits", async () => (await rpc.stats.listWorkers({})).workers.length === 2);

      const stopped = broker.terminate();

      expect(await pulling).toMatchObject(NO_EFFECT);
      session.close();
      expect(await stopped).toBe(0);
    });
  });
});

onStore("embedded", (test) => {
  describe("a broker that stops tells", () => {
    test("those who wait for a task", async ({ startOther, connectTo, queue }) => {
      const broker = await startOther();
      const { rpc } = connectTo(broker);
      const [taskId = ""] = await enqueueMany(rpc, queue, 1);
      const waiting = refused((options) => rpc.tasks.awaitTask({ taskId }, options));
      await rpc.tasks.getTask({ taskId });

      broker.beginToStop();

      expect(await waiting).toMatchObject(NO_EFFECT);
    });

    test("those who watch the numbers", async ({ startOther, connectTo }) => {
      const broker = await startOther();
      const { rpc } = connectTo(broker);
      let messages = 0;
      const watch = async (options: TrailerOption) => {
        for await (const _ of rpc.stats.watchStats({}, options)) messages++;
      };
      const watching = refused(watch);
      await until("numbers come", () => messages > 0);

      broker.beginToStop();

      expect(await watching).toMatchObject(NO_EFFECT);
    });

    test("a worker that has not left in time", async ({ startOther, connectTo }) => {
      const broker = await startOther({ drainMs: 0 });
      const session = connectTo(broker).subscribe();
      await session.next("welcome");

      broker.beginToStop();

      expect(await session.ended()).toMatchObject(NO_EFFECT);
    });

    test("a producer whose frames are all answered", async ({ startOther, connectTo, queue }) => {
      const broker = await startOther();
      const stream = new EnqueueWire(connectTo(broker).rpc);
      stream.send({ sequence: 1, tasks: [{ type: "email", queue }] });
      await stream.untilAnswered(1);

      broker.beginToStop();

      expect(await stream.ended()).toMatchObject(NO_EFFECT);
    });
  });
});

onStore("redis", (test) => {
  describe("a broker that stops while its store hangs does not promise", () => {
    test("that an unanswered frame had no effect", async ({ startOther, connectTo, queue }) => {
      const redis = await startRedis();
      try {
        const broker = await startOther({ redisUrl: redis.url });
        const { rpc } = connectTo(broker);
        const stream = new EnqueueWire(rpc);
        stream.send({ sequence: 1, tasks: [{ type: "email", queue }] });
        await stream.untilAnswered(1);
        redis.pause();
        stream.send({ sequence: 2, tasks: [{ type: "email", queue }] });
        // What is sent on one connection is read in order.
        await rpc.connection.client(HealthDefinition).check({});

        broker.beginToStop();

        const end = await stream.ended();
        expect(end).toMatchObject({ code: 14, retryAfterMs: expect.any(Number) });
        expect(end.reason).toBeUndefined();
      } finally {
        await redis.destroy();
      }
    });
  });
});
