/** A limited rate is kept over all brokers, whatever is killed and restarted. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Rpc } from "../support/rpc.ts";
import { until, untilWorks } from "../support/until.ts";
import { onRedis, faultTest as test } from "./fault-test.ts";

/** So slow that a burst that is given anew after a kill is more than what the time without a broker has earned. */
const RATE = { perSecond: 30, burst: 100 };
const PRODUCERS = 40;
/** The clocks of the test and of the store are the same, but each is read at a moment of its own. */
const SLACK_MS = 50;

/** Each tries to enqueue without a pause, until it is stopped. */
class Producers {
  accepted = 0;
  readonly #running: Promise<unknown>;
  #isStopped = false;

  constructor(queue: string, brokers: readonly Rpc[]) {
    const run = async (i: number) => {
      for (let turn = i; !this.#isStopped; turn++) {
        const isAccepted = await brokers[turn % brokers.length]?.tasks.enqueue({ type: "work", queue }).then(
          () => true,
          () => false,
        );
        if (isAccepted) this.accepted++;
        // A dead broker refuses at once.
        else await sleep(5);
      }
    };
    this.#running = Promise.all(Array.from({ length: PRODUCERS }, (_, i) => run(i)));
  }

  async untilAccepted(count: number): Promise<void> {
    await until(
      () => `${count} tasks are accepted; ${this.accepted} are`,
      () => this.accepted >= count,
      { withinMs: 20_000 },
    );
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }
}

/** What the queue had taken at a moment between two times. */
interface Reading {
  readonly enqueued: number;
  readonly askedAt: number;
  readonly answeredAt: number;
}

async function read(rpc: Rpc, queue: string): Promise<Reading> {
  let askedAt = 0;
  const answer = await untilWorks("the queue is told", () => {
    askedAt = Date.now();
    return rpc.queues.getQueue({ queue });
  });
  return { enqueued: answer.queue?.counters?.enqueued ?? 0, askedAt, answeredAt: Date.now() };
}

/** Lets producers do what they can while something is killed; between any two moments they get no more in than may be. */
async function checkRate(
  { queue, brokers, rpc }: { readonly queue: string; readonly brokers: readonly Rpc[]; readonly rpc: Rpc },
  kill: () => Promise<unknown>,
): Promise<void> {
  await rpc.queues.updateQueue({ queue, enqueueRate: RATE });
  const readings = [await read(rpc, queue)];
  const producers = new Producers(queue, brokers);
  for (const count of [1.1, 1.2]) {
    await producers.untilAccepted(RATE.burst * count);
    readings.push(await read(rpc, queue));
  }
  await kill();
  for (const count of [1.5, 1.8, 2, 2.2]) {
    readings.push(await read(rpc, queue));
    await producers.untilAccepted(RATE.burst * count);
  }
  await producers.stop();
  readings.push(await read(rpc, queue));

  for (const [i, from] of readings.entries()) {
    for (const [j, to] of readings.entries()) {
      if (j <= i) continue;
      const admitted = RATE.burst + (RATE.perSecond * (to.answeredAt - from.askedAt + SLACK_MS)) / 1_000;
      expect(to.enqueued - from.enqueued, `from reading ${i} to ${j}`).toBeLessThanOrEqual(admitted);
    }
  }
  const { queue: after } = await rpc.queues.getQueue({ queue });
  expect(after).toMatchObject({ enqueueRate: RATE, counters: { ready: after?.counters?.enqueued } });
  // A call that was cut off may have been accepted, too.
  expect(after?.counters?.enqueued, "nothing that was accepted is missing").toBeGreaterThanOrEqual(producers.accepted);
}

test("is kept by two brokers of which one is killed and started again", async ({
  queue,
  newStore,
  startBroker,
  connectTo,
}) => {
  const settings = await newStore("redis");
  const doomed = await startBroker(settings);
  const other = await startBroker(settings);
  const rpc = connectTo(other);

  await checkRate({ queue, brokers: [connectTo(doomed), rpc], rpc }, async () => {
    await doomed.kill();
    await startBroker({ ...settings, grpcListen: doomed.address });
  });
});

test("is kept by an embedded broker that is killed and started again", async ({
  queue,
  newStore,
  startBroker,
  connectTo,
}) => {
  const settings = await newStore("embedded");
  const broker = await startBroker(settings);
  const rpc = connectTo(broker);

  await checkRate({ queue, brokers: [rpc], rpc }, async () => {
    await broker.kill();
    await startBroker({ ...settings, grpcListen: broker.address });
  });
});

test("is kept when Redis is killed and started again", async ({ queue, startRedis, startBroker, connectTo }) => {
  const redis = await startRedis();
  const brokers = [connectTo(await startBroker(onRedis(redis))), connectTo(await startBroker(onRedis(redis)))];
  const [rpc] = brokers as [Rpc];

  await checkRate({ queue, brokers, rpc }, async () => {
    await redis.kill();
    await redis.restart();
  });
});
