/** A Redis that is away for a while. */
import { TaskState } from "@taskwire/proto";
import { expect, test } from "vitest";
import { startBroker } from "../support/broker.ts";
import { startRedis } from "../support/redis.ts";
import { connect, refused } from "../support/rpc.ts";
import { WireSession } from "../support/session.ts";
import { until, untilWorks } from "../support/until.ts";
import { helloTo } from "./broker-test.ts";
import { enqueueMany, untilState } from "./tasks.ts";

test("a broker whose Redis is away says so, lives, and serves when it is back", { timeout: 60_000 }, async () => {
  const redis = await startRedis();
  const broker = await startBroker({ store: "redis", redisUrl: redis.url });
  const rpc = connect(broker.address);
  try {
    const [id = ""] = await enqueueMany(rpc, "q", 1);
    await redis.kill();

    const refusal = await refused((options) => rpc.tasks.enqueue({ type: "email", queue: "q" }, options));
    expect(refusal.code, refusal.message).toBe(14);
    expect(refusal.retryAfterMs).toBeGreaterThan(0);
    const again = await until("it is known that the store is away", async () => {
      const answer = await refused((options) => rpc.tasks.enqueue({ type: "email", queue: "q" }, options));
      return answer.reason === "STORE_UNAVAILABLE" && answer;
    });
    expect(again, "refused before anything was sent").toMatchObject({ code: 14, retryAfterMs: expect.any(Number) });
    expect((await refused((options) => rpc.tasks.getTask({ taskId: id }, options))).code).toBe(14);
    expect(broker.isRunning()).toBe(true);

    await redis.restart();
    await untilWorks("the broker serves again", () => rpc.tasks.enqueue({ type: "email", queue: "q" }), {
      withinMs: 20_000,
    });
    const session = new WireSession(rpc.connection);
    session.hello(helloTo("q"));
    const deliveries = await session.untilDelivered(2);
    await session.settle({ ackTags: deliveries.map(({ tag }) => tag) });
    await untilState(rpc, id, TaskState.COMPLETED);
    session.close();
    await session.ended();
    expect(await broker.terminate()).toBe(0);
  } finally {
    rpc.close();
    await broker.kill();
    await redis.destroy();
  }
});

test("a broker that fenced itself gives back what it held, though no other is there", { timeout: 60_000 }, async () => {
  const redis = await startRedis();
  const broker = await startBroker({ store: "redis", redisUrl: redis.url });
  const rpc = connect(broker.address);
  try {
    const [id = ""] = await enqueueMany(rpc, "q", 1);
    const before = new WireSession(rpc.connection);
    before.hello(helloTo("q"));
    await before.untilDelivered(1);

    const frozenAt = performance.now();
    redis.pause();
    const end = await before.ended();
    const fencedAfterMs = performance.now() - frozenAt;
    redis.resume();

    expect(end, "told to come back").toMatchObject({ code: 14, reason: "DRAINING" });
    // Within its timeout of 1.5 s: later, other brokers may give its leases away.
    expect(fencedAfterMs).toBeLessThan(2_500);
    const after = new WireSession(rpc.connection);
    after.hello(helloTo("q"));
    const [delivery] = await after.untilDelivered(1);
    expect(delivery).toMatchObject({ attempt: 1, task: { id } });
    expect(await after.settle({ ackTags: [delivery?.tag ?? 0] })).toMatchObject({ rejections: [] });
    const { status } = await untilState(rpc, id, TaskState.COMPLETED);
    expect(status?.lostCount).toBe(0);
  } finally {
    rpc.close();
    await broker.kill();
    await redis.destroy();
  }
});
