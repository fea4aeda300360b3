/** A paused queue hands out nothing, whatever is killed and restarted meanwhile; afterwards everything ends. */
import { expect } from "vitest";
import type { Rpc } from "../support/rpc.ts";
import { until, untilWorks } from "../support/until.ts";
import { audit, countersOf } from "./audit.ts";
import { onRedis, faultTest as test } from "./fault-test.ts";

const LOAD = { count: 800, ms: 5 };

/** How many tasks were ever handed out, as the store counts them. */
async function handedOut(rpc: Rpc, queue: string): Promise<number | undefined> {
  const { queue: found } = await untilWorks("the queue is told", () => rpc.queues.getQueue({ queue }));
  expect(found).toMatchObject({ paused: true });
  return found?.counters?.dequeued;
}

test("an embedded broker that is killed and restarted while a queue is paused hands out nothing of it", async ({
  queue,
  newStore,
  startBroker,
  startWorker,
  workers,
  connectTo,
  produce,
}) => {
  const settings = await newStore("embedded");
  const broker = await startBroker(settings);
  const rpc = connectTo(broker);
  const worker = await startWorker({ addresses: [broker.address], concurrency: 20 });
  const producing = produce(broker, LOAD);
  await worker.untilTold("started", 50);

  const { queue: paused } = await rpc.queues.pauseQueue({ queue });
  await worker.kill();
  await broker.kill();
  const again = await startBroker({ ...settings, grpcListen: broker.address });
  const idle = await startWorker({ addresses: [broker.address], concurrency: 20 });
  const ids = await producing;
  await again.kill();
  await startBroker({ ...settings, grpcListen: broker.address });
  // It takes a moment to find the broker again.
  await idle.untilTold("connected", 2);
  // A crash of the store takes deliveries back that nobody has settled, from the count as well.
  expect(await handedOut(rpc, queue)).toBeLessThanOrEqual(paused?.counters?.dequeued ?? 0);
  expect(idle.ofKind("started")).toEqual([]);
  await rpc.queues.resumeQueue({ queue });

  const counters = await audit(rpc, { queue, ids, workers });
  expect(counters.failed).toBe(0);
});

test("no broker hands out a task of a paused queue while brokers and workers are killed and restarted", async ({
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
  const rpc = connectTo(other);
  const worker = await startWorker({ addresses: [doomed.address], concurrency: 20 });
  await startWorker({ addresses: [other.address], concurrency: 20 });
  const producing = produce(other, LOAD);
  await worker.untilTold("started", 50);

  // Through a broker that is dead before anything else happens.
  const { queue: paused } = await connectTo(doomed).queues.pauseQueue({ queue });
  await doomed.kill();
  await worker.kill();
  const heir = await startBroker(settings);
  const idle = await startWorker({ addresses: [heir.address], concurrency: 20 });
  const ids = await producing;
  // What the dead one had leased is given away by now, and stays where it is.
  await until("nobody holds a task", async () => (await countersOf(rpc, queue))?.active === 0);
  expect(await handedOut(rpc, queue)).toBe(paused?.counters?.dequeued);
  expect(idle.ofKind("started")).toEqual([]);
  await rpc.queues.resumeQueue({ queue });

  await audit(rpc, { queue, ids, workers });
});

test("a queue stays paused when its Redis is killed and restarted", async ({
  queue,
  startRedis,
  startBroker,
  startWorker,
  workers,
  connectTo,
  produce,
}) => {
  const redis = await startRedis();
  const settings = onRedis(redis);
  const broker = await startBroker(settings);
  const rpc = connectTo(broker);
  const worker = await startWorker({ addresses: [broker.address], concurrency: 20 });
  const producing = produce(broker, LOAD);
  await worker.untilTold("started", 50);

  const { queue: paused } = await rpc.queues.pauseQueue({ queue });
  await redis.kill();
  await redis.restart();
  const idle = await startWorker({ addresses: [broker.address], concurrency: 20 });
  const ids = await producing;
  await until("nobody holds a task", async () => (await countersOf(rpc, queue))?.active === 0);
  expect(await handedOut(rpc, queue)).toBe(paused?.counters?.dequeued);
  expect(idle.ofKind("started")).toEqual([]);
  await rpc.queues.resumeQueue({ queue });

  await audit(rpc, { queue, ids, workers });
});
