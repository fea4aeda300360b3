/** Brokers that die, freeze, or are told to stop; a Redis that dies. All of it under load. */
import { describe, expect } from "vitest";
import { audit } from "../support/audit.ts";
import { freePort } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { faultTest as test } from "./fault-test.ts";

/** Of the brokers here: how long one may be silent before the others take over. */
const BROKER_TIMEOUT_MS = 1_500;
/** Beyond the timeout the others need a fifth of it to notice. The rest is for a busy machine. */
const REAPED_WITHIN_MS = 4_000;

describe("of two brokers on one Redis, one that is killed", () => {
  test("loses no task: the other takes over, and its workers settle there", async ({
    queue,
    startRedis,
    startBroker,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const { url: redisUrl } = await startRedis();
    const settings = { store: "redis", redisUrl, brokerTimeoutMs: BROKER_TIMEOUT_MS };
    const [doomed, heir] = [await startBroker(settings), await startBroker(settings)];
    // One worker moves to the other broker; one is stuck with the dead one and keeps what it has.
    const mover = await startWorker({ addresses: [doomed.address, heir.address], concurrency: 10 });
    const stuck = await startWorker({ addresses: [doomed.address], concurrency: 5, holds: true });
    const producing = produce([doomed.address, heir.address], { count: 300, ms: 20, everyMs: 2 });
    const held = (await stuck.untilTold("started", 5)).map(({ taskId }) => taskId);
    await mover.untilTold("settled", 20);

    const killedAt = Date.now();
    await doomed.kill();
    const ids = await producing;
    await mover.untilTold("settled", 295 - 20);
    await until("the tasks of the dead broker are given to the living", () =>
      held.every((id) => mover.ofKind("started").some(({ taskId }) => taskId === id)),
    );

    const again = mover.ofKind("started").filter(({ taskId }) => held.includes(taskId));
    const worstMs = Math.max(...again.map(({ at }) => at - killedAt));
    expect(worstMs, "ms until the last was redelivered").toBeLessThan(REAPED_WITHIN_MS);
    expect(again.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 1]);
    expect(await audit(connectTo(heir), { queue, ids, workers })).toMatchObject({ failed: 0 });
  });

  test("or frozen for too long cannot complete what was given away", async ({
    queue,
    startRedis,
    startBroker,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const { url: redisUrl } = await startRedis();
    const settings = { store: "redis", redisUrl, brokerTimeoutMs: BROKER_TIMEOUT_MS };
    const [frozen, heir] = [await startBroker(settings), await startBroker(settings)];
    const early = await startWorker({ addresses: [frozen.address], concurrency: 5 });
    const ids = await produce([heir.address], { count: 5, ms: 300 });
    await early.untilTold("started", 5);
    frozen.pause();
    // Its acks reach the frozen broker's socket, and wait there.
    const late = await startWorker({ addresses: [heir.address], concurrency: 5 });
    await late.untilTold("settled", 5);

    frozen.resume();
    await early.untilTold("refused", 5);

    expect(early.ofKind("settled")).toEqual([]);
    expect(frozen.isRunning()).toBe(true);
    await early.untilTold("connected", 2);
    const rpc = connectTo(heir);
    expect(await audit(rpc, { queue, ids, workers })).toMatchObject({ dequeued: 10, completed: 5 });
    // It is a full member again: its worker gets tasks.
    await late.terminate();
    const more = await produce([heir.address], { count: 5, ms: 0 });
    await early.untilTold("settled", 5);
    await audit(rpc, { queue, ids: [...ids, ...more], workers });
  });
});

test("an embedded broker that is killed under load goes on with its folder where it was", async ({
  queue,
  startBroker,
  startWorker,
  workers,
  connectTo,
  produce,
}) => {
  const grpcListen = `127.0.0.1:${await freePort()}`;
  const first = await startBroker({ grpcListen });
  const worker = await startWorker({ addresses: [first.address], concurrency: 10 });
  const producing = produce([first.address], { count: 500, ms: 10, everyMs: 2 });
  await worker.untilTold("settled", 50);

  await first.kill();
  expect(worker.ofKind("settled").length, "there is work left when it dies").toBeLessThan(500);
  const second = await startBroker({ grpcListen });

  const ids = await producing;
  expect(ids).toHaveLength(500);
  expect(await audit(connectTo(second), { queue, ids, workers })).toMatchObject({ failed: 0 });
});

test("a Redis that is killed under load and started again loses nothing", async ({
  queue,
  startRedis,
  startBroker,
  startWorker,
  workers,
  connectTo,
  produce,
}) => {
  const redis = await startRedis();
  const brokers = [
    await startBroker({ store: "redis", redisUrl: redis.url }),
    await startBroker({ store: "redis", redisUrl: redis.url }),
  ] as const;
  const addresses = brokers.map(({ address }) => address);
  const worker = await startWorker({ addresses, concurrency: 10 });
  await startWorker({ addresses: addresses.toReversed(), concurrency: 10 });
  const producing = produce(addresses, { count: 500, ms: 10, everyMs: 2 });
  await worker.untilTold("settled", 30);

  await redis.kill();
  await redis.restart();

  const ids = await producing;
  expect(ids).toHaveLength(500);
  expect(await audit(connectTo(brokers[0]), { queue, ids, workers })).toMatchObject({ failed: 0 });
});

test("a broker that is told to stop under load loses nothing, and spends no attempt", async ({
  queue,
  startRedis,
  startBroker,
  startWorker,
  workers,
  connectTo,
  produce,
}) => {
  const { url: redisUrl } = await startRedis();
  const [leaving, staying] = [
    await startBroker({ store: "redis", redisUrl }),
    await startBroker({ store: "redis", redisUrl }),
  ];
  const addresses = [leaving.address, staying.address];
  const worker = await startWorker({ addresses, concurrency: 10 });
  await startWorker({ addresses, concurrency: 10 });
  const producing = produce(addresses, { count: 400, ms: 30, everyMs: 2 });
  await worker.untilTold("settled", 30);

  expect(await leaving.terminate()).toBe(0);

  const ids = await producing;
  expect(await audit(connectTo(staying), { queue, ids, workers })).toMatchObject({ failed: 0, retried: 0, lost: 0 });
  const attempts = workers.flatMap((one) => one.ofKind("started")).map(({ attempt }) => attempt);
  expect(new Set(attempts)).toEqual(new Set([1]));
});
