/** Faults of workers, brokers and Redis, with real processes: what each must not do to the tasks. */
import { describe, expect } from "vitest";
import { until } from "../support/until.ts";
import { audit, countersOf } from "./audit.ts";
import { onRedis, faultTest as test } from "./fault-test.ts";

describe.for(["embedded", "redis"] as const)("with the %s store", (kind) => {
  test("a worker that is killed amid its tasks gives them to another at once", async ({
    queue,
    newStore,
    startBroker,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const broker = await startBroker(await newStore(kind));
    const victim = await startWorker({ addresses: [broker.address], concurrency: 5, holds: true });
    const ids = await produce(broker, { count: 5, ms: 0 });
    await victim.untilTold("started", 5);
    const heir = await startWorker({ addresses: [broker.address], concurrency: 5 });

    const killedAt = Date.now();
    await victim.kill();

    const delays = (await heir.untilTold("started", 5)).map(({ at }) => at - killedAt);
    // Long before the session would time out, after 30 s.
    expect(Math.max(...delays)).toBeLessThan(5_000);
    expect(await audit(connectTo(broker), { queue, ids, workers })).toMatchObject({ lost: 5 });
  });

  test("a worker that was frozen past the timeout of its tasks changes nothing when it wakes up", async ({
    queue,
    newStore,
    startBroker,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const broker = await startBroker(await newStore(kind));
    const rpc = connectTo(broker);
    const frozen = await startWorker({ addresses: [broker.address], concurrency: 3, freezesAfter: 3 });
    const ids = await produce(broker, { count: 3, ms: 0, timeoutMs: 1_000, retryMs: 1_000 });
    await until("their attempts have timed out", async () => ((await countersOf(rpc, queue))?.failed ?? 0) >= 3);
    await startWorker({ addresses: [broker.address], concurrency: 3 });
    await until("another has done them", async () => (await countersOf(rpc, queue))?.completed === 3, {
      withinMs: 30_000,
    });

    frozen.resume();
    await frozen.untilTold("refused", 3);

    expect(frozen.ofKind("settled")).toEqual([]);
    await audit(rpc, { queue, ids, workers });
  });

  test("a worker and a broker that are asked to leave under load lose nothing and spend no attempt", async ({
    queue,
    newStore,
    startBroker,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const settings = await newStore(kind);
    const broker = await startBroker(settings);
    const leaving = await startWorker({ addresses: [broker.address], concurrency: 10 });
    await startWorker({ addresses: [broker.address], concurrency: 10 });

    const producing = produce(broker, { count: 400, ms: 20 });
    await leaving.untilTold("started", 20);
    expect(await leaving.terminate()).toBe(0);
    expect(await broker.terminate()).toBe(0);
    await startBroker({ ...settings, grpcListen: broker.address });

    const counters = await audit(connectTo(broker), { queue, ids: await producing, workers });
    expect(counters).toMatchObject({ failed: 0, lost: 0 });
  });

  test("a broker that is killed under load loses nothing that it acknowledged", async ({
    queue,
    newStore,
    startBroker,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const settings = await newStore(kind);
    const broker = await startBroker(settings);
    const worker = await startWorker({ addresses: [broker.address], concurrency: 20 });

    const producing = produce(broker, { count: 600, ms: 5 });
    await worker.untilTold("started", 50);
    await broker.kill();
    await startBroker({ ...settings, grpcListen: broker.address });

    await audit(connectTo(broker), { queue, ids: await producing, workers });
  });
});

describe("with two brokers on one Redis", () => {
  test("what a killed broker had leased is given away by the other, and its worker settles there", async ({
    queue,
    newStore,
    startBroker,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const settings = await newStore("redis");
    const doomed = await startBroker(settings);
    const other = await startBroker(settings);
    const worker = await startWorker({ addresses: [doomed.address, other.address], concurrency: 20 });

    const producing = produce(other, { count: 500, ms: 30 });
    await worker.untilTold("started", 60);
    await doomed.kill();

    await audit(connectTo(other), { queue, ids: await producing, workers });
  });

  test("a broker that was frozen and wakes up accepts nothing twice", async ({
    queue,
    newStore,
    startBroker,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const settings = await newStore("redis");
    const frozen = await startBroker(settings);
    const other = await startBroker(settings);
    const rpc = connectTo(other);
    const itsWorker = await startWorker({ addresses: [frozen.address], concurrency: 10 });
    const ids = await produce(other, { count: 200, ms: 50 });
    await itsWorker.untilTold("started", 20);

    frozen.pause();
    await startWorker({ addresses: [other.address], concurrency: 20 });
    await until(
      "the other broker has handed out everything",
      async () => (await countersOf(rpc, queue))?.completed === 200,
      { withinMs: 30_000 },
    );
    frozen.resume();

    await audit(rpc, { queue, ids, workers });
  });
});

test("a Redis that is killed and restarted under load loses nothing that was acknowledged", async ({
  queue,
  startRedis,
  startBroker,
  startWorker,
  workers,
  connectTo,
  produce,
}) => {
  const redis = await startRedis();
  const broker = await startBroker(onRedis(redis));
  const worker = await startWorker({ addresses: [broker.address], concurrency: 20 });

  const producing = produce(broker, { count: 600, ms: 5 });
  await worker.untilTold("started", 50);
  await redis.kill();
  await redis.restart();

  await audit(connectTo(broker), { queue, ids: await producing, workers });
});
