/** Thousands of dead tasks are revived, or deleted, while the broker that does it, or its Redis, is killed. */
import { describe, expect } from "vitest";
import type { BrokerProcess } from "../support/broker.ts";
import type { Rpc } from "../support/rpc.ts";
import { until, untilWorks } from "../support/until.ts";
import { audit, countersOf } from "./audit.ts";
import { buryAll } from "./dead-tasks.ts";
import { type FaultFixtures, onRedis, faultTest as test } from "./fault-test.ts";

const DEAD = 2_000;
/** When a call has moved so many, it is amid its work. */
const AMID = 300;

type Verb = "revived" | "deleted";

function move(rpc: Rpc, verb: Verb, queue: string): Promise<number> {
  const request = { tasks: { queue } };
  return verb === "revived"
    ? rpc.tasks.reviveTasks(request).then(({ revived }) => revived)
    : rpc.tasks.deleteTasks(request).then(({ deleted }) => deleted);
}

/** Begins to move all dead tasks, and kills something when some are moved. Then moves the rest, and resolves when it is answered. */
async function moveAmid(
  { first, rpc, queue, verb }: { readonly first: Rpc; readonly rpc: Rpc; readonly queue: string; readonly verb: Verb },
  kill: () => Promise<unknown>,
): Promise<void> {
  const cutOff = Promise.allSettled([move(first, verb, queue)]);
  await until(`some are ${verb}`, async () => ((await countersOf(rpc, queue))?.[verb] ?? 0) >= AMID, { everyMs: 1 });
  await kill();
  const [answer] = await cutOff;
  const before = (await countersOf(rpc, queue))?.[verb] ?? 0;
  const options = { withinMs: 30_000, everyMs: 20 };
  const moved = await untilWorks(`the rest is ${verb}`, () => move(rpc, verb, queue), options);
  const counters = await countersOf(rpc, queue);
  expect(counters, `each is ${verb} once`).toMatchObject({ enqueued: DEAD, buried: DEAD, dead: 0, [verb]: DEAD });
  // A try that failed may have moved some of them, too.
  expect(moved).toBeLessThanOrEqual(DEAD - before);
  if (answer?.status === "fulfilled") expect(answer.value).toBe(before);
}

type Fixtures = Pick<FaultFixtures, "newStore" | "startBroker" | "connectTo">;

/** Whoever moves them is killed: the only broker, which is started again, or one of two. */
async function setUp(kind: "embedded" | "redis", { newStore, startBroker, connectTo }: Fixtures) {
  const settings = await newStore(kind);
  const doomed = await startBroker(settings);
  const other: BrokerProcess = kind === "redis" ? await startBroker(settings) : doomed;
  const kill = async () => {
    await doomed.kill();
    if (kind === "embedded") await startBroker({ ...settings, grpcListen: doomed.address });
  };
  return { other, first: connectTo(doomed), rpc: connectTo(other), kill };
}

describe.for(["embedded", "redis"] as const)("with the %s store, a broker that is killed", (kind) => {
  test("while it revives thousands: each is revived once, and ends once", async ({
    queue,
    newStore,
    startBroker,
    startWorker,
    workers,
    connectTo,
    produce,
  }) => {
    const { other, first, rpc, kill } = await setUp(kind, { newStore, startBroker, connectTo });
    const ids = await produce(other, { count: DEAD, ms: 0 });
    await buryAll(rpc, queue, DEAD);
    await startWorker({ addresses: [other.address], concurrency: 50 });

    await moveAmid({ first, rpc, queue, verb: "revived" }, kill);

    await audit(rpc, { queue, ids, workers });
  });

  test("while it deletes thousands: each is deleted once", async ({
    queue,
    newStore,
    startBroker,
    connectTo,
    produce,
  }) => {
    const { other, first, rpc, kill } = await setUp(kind, { newStore, startBroker, connectTo });
    await produce(other, { count: DEAD, ms: 0 });
    await buryAll(rpc, queue, DEAD);

    await moveAmid({ first, rpc, queue, verb: "deleted" }, kill);

    expect(await countersOf(rpc, queue)).toMatchObject({ ready: 0, active: 0, scheduled: 0, completed: 0 });
    expect((await rpc.tasks.listFailures({ queue })).groups).toEqual([]);
  });
});

test("a Redis that is killed while thousands are revived: each is revived once, and ends once", async ({
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
  const rpc = connectTo(broker);
  const ids = await produce(broker, { count: DEAD, ms: 0 });
  await buryAll(rpc, queue, DEAD);
  await startWorker({ addresses: [broker.address], concurrency: 50 });

  await moveAmid({ first: rpc, rpc, queue, verb: "revived" }, async () => {
    await redis.kill();
    await redis.restart();
  });

  await audit(rpc, { queue, ids, workers });
});
