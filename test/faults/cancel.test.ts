/** Tasks are enqueued, handled and cancelled by the thousand while workers, brokers and Redis are killed. */
import { Client } from "@taskwire/client";
import { Rejection_Reason } from "@taskwire/proto";
import { describe, expect } from "vitest";
import type { BrokerProcess } from "../support/broker.ts";
import { WireSession } from "../support/session.ts";
import { until } from "../support/until.ts";
import type { WorkerProcess } from "../support/worker.ts";
import { auditCancels, Cancels } from "./cancels.ts";
import { onRedis, faultTest as test } from "./fault-test.ts";

const TASKS = 1_500;
/** Unless it is cancelled. */
const LONG_MS = 1_500;

/** What each task is to live through, by its place. */
type Fate = "runs" | "is cancelled while it waits" | "is cancelled before it is due" | "is cancelled while it runs";

const FATES: readonly Fate[] = [
  "runs",
  "is cancelled while it waits",
  "is cancelled while it runs",
  "runs",
  "is cancelled before it is due",
  "runs",
];

/** Enqueues tasks and cancels many of them, each when its fate says so. Resolves with the ids of all, once all is answered. */
async function enqueueAndCancel(
  client: Client,
  cancels: Cancels,
  { queue, workers }: { readonly queue: string; readonly workers: readonly WorkerProcess[] },
): Promise<string[]> {
  const doomed = new Set<string>();
  const cancelling: Promise<void>[] = [];
  const enqueuing = Promise.all(
    Array.from({ length: TASKS }, async (_, i) => {
      const fate = FATES[i % FATES.length];
      const ms = fate === "is cancelled while it runs" ? LONG_MS : 2;
      // Some of those that are cancelled are due by then.
      const delayMs = fate === "is cancelled before it is due" ? 20 + (i % 7) * 200 : undefined;
      // Those with a priority stand in the store alone, the others in blocks.
      const options = { queue, delayMs, priority: i % 5 === 0 ? 1 : 0, timeoutMs: 20_000 };
      const { taskId } = await client.enqueue("work", { ms }, options);
      if (fate === "is cancelled while it runs") doomed.add(taskId);
      else if (fate !== "runs") cancelling.push(cancels.cancel(taskId));
      return taskId;
    }),
  );
  let isEnqueued = false;
  void enqueuing.finally(() => (isEnqueued = true));
  await until(
    () => `all are started that are to be cancelled then; ${doomed.size} are not`,
    () => {
      for (const { taskId } of workers.flatMap((worker) => worker.ofKind("started")))
        if (doomed.delete(taskId)) cancelling.push(cancels.cancel(taskId));
      return isEnqueued && doomed.size === 0;
    },
    { withinMs: 40_000, everyMs: 10 },
  );
  await Promise.all(cancelling);
  return enqueuing;
}

/** All three sorts of cancels took place. */
function expectMixed(cancels: Cancels): void {
  expect(cancels.ofKind("was waiting").length).toBeGreaterThan(50);
  expect(cancels.ofKind("was active").length).toBeGreaterThan(50);
}

test("an embedded broker and a worker that are killed amid cancels end each task once, as was answered", async ({
  queue,
  newStore,
  startBroker,
  startWorker,
  workers,
  connectTo,
  onTestFinished,
}) => {
  const settings = await newStore("embedded");
  const broker = await startBroker(settings);
  const victim = await startWorker({ addresses: [broker.address], concurrency: 50 });
  await startWorker({ addresses: [broker.address], concurrency: 50 });
  const client = new Client({ address: broker.address, deadlineMs: 45_000 });
  onTestFinished(() => client.close());
  const cancels = new Cancels(client);

  const enqueuing = enqueueAndCancel(client, cancels, { queue, workers });
  await cancels.untilAnswered(150);
  await cancels.whileKilling(() => victim.kill());
  await cancels.untilAnswered(300);
  await cancels.whileKilling(async () => {
    await broker.kill();
    await startBroker({ ...settings, grpcListen: broker.address });
  });

  await auditCancels(connectTo(broker), { queue, ids: await enqueuing, workers }, cancels);
  expectMixed(cancels);
});

test("one of two brokers and a worker that are killed amid cancels: each task ends once, as was answered", async ({
  queue,
  newStore,
  startBroker,
  startWorker,
  workers,
  connectTo,
  onTestFinished,
}) => {
  const settings = await newStore("redis");
  const doomed = await startBroker(settings);
  const other = await startBroker(settings);
  const victim = await startWorker({ addresses: [other.address], concurrency: 40 });
  await startWorker({ addresses: [doomed.address, other.address], concurrency: 40 });
  await startWorker({ addresses: [other.address], concurrency: 40 });
  const client = new Client({ address: [doomed.address, other.address], deadlineMs: 45_000 });
  onTestFinished(() => client.close());
  const cancels = new Cancels(client);

  const enqueuing = enqueueAndCancel(client, cancels, { queue, workers });
  await cancels.untilAnswered(150);
  await cancels.whileKilling(() => victim.kill());
  await cancels.untilAnswered(300);
  await cancels.whileKilling(() => doomed.kill());

  await auditCancels(connectTo(other), { queue, ids: await enqueuing, workers }, cancels);
  expectMixed(cancels);
});

test("a Redis that is killed and restarted amid cancels: each task ends once, as was answered", async ({
  queue,
  startRedis,
  startBroker,
  startWorker,
  workers,
  connectTo,
  onTestFinished,
}) => {
  const redis = await startRedis();
  const broker = await startBroker(onRedis(redis));
  await startWorker({ addresses: [broker.address], concurrency: 50 });
  await startWorker({ addresses: [broker.address], concurrency: 50 });
  const client = new Client({ address: broker.address, deadlineMs: 45_000 });
  onTestFinished(() => client.close());
  const cancels = new Cancels(client);

  const enqueuing = enqueueAndCancel(client, cancels, { queue, workers });
  await cancels.untilAnswered(300);
  await cancels.whileKilling(async () => {
    await redis.kill();
    await redis.restart();
  });

  await auditCancels(connectTo(broker), { queue, ids: await enqueuing, workers }, cancels);
  expectMixed(cancels);
});

describe("late acks of what a killed broker had leased", () => {
  test("are stale for what was cancelled meanwhile, and only for that", async ({
    queue,
    newStore,
    startBroker,
    connectTo,
    produce,
  }) => {
    // The dead broker's leases stay with its worker for the whole test.
    const settings: Parameters<typeof startBroker>[0] = { ...(await newStore("redis")), brokerTimeoutMs: 60_000 };
    const [doomed, other]: BrokerProcess[] = [await startBroker(settings), await startBroker(settings)];
    if (!doomed || !other) throw new Error("there are two");
    const rpc = connectTo(other);
    const session = new WireSession(connectTo(doomed).connection);
    session.hello({ workerId: "w", queues: [{ queue }], window: { maxInFlight: 1_000, maxInFlightBytes: 2 ** 20 } });
    const ids = await produce(other, { count: 200, ms: 0 });
    const held = await session.untilDelivered(200);
    const early = ids.filter((_, i) => i % 4 === 0);
    const late = ids.filter((_, i) => i % 4 === 1);

    await Promise.all(early.map((taskId) => rpc.tasks.cancelTask({ taskId })));
    await doomed.kill();
    const answers = await Promise.all(late.map((taskId) => rpc.tasks.cancelTask({ taskId })));
    const outcomes = held.map(({ leaseToken }) => ({ leaseToken, result: { $case: "ack", value: {} } }) as const);
    const { results } = await rpc.workers.settleTasks({ outcomes });

    expect(answers).toEqual(late.map(() => ({ wasActive: true })));
    const stale = held.filter((_, i) => results[i]?.reason === Rejection_Reason.STALE).map(({ task }) => task?.id);
    expect(stale.sort()).toEqual([...early, ...late].sort());
    expect(results.filter(({ settled }) => settled)).toHaveLength(100);
    const { queue: after } = await rpc.queues.getQueue({ queue });
    expect(after?.counters).toMatchObject({ enqueued: 200, completed: 100, cancelled: 100, active: 0, lost: 0 });
  });
});
