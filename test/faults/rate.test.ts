/** A limited rate is kept over all brokers, whatever is killed and restarted. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Rpc } from "../support/rpc.ts";
import { until } from "../support/until.ts";
import { countersOf } from "./audit.ts";
import { onRedis, faultTest as test } from "./fault-test.ts";

const RATE = { perSecond: 200, burst: 100 };
const PRODUCERS = 40;
/** The clocks of the test and of the store are the same, but each is read at a moment of its own. */
const SLACK_MS = 50;

/** Each tries to enqueue without a pause, until it is stopped. */
class Producers {
  accepted = 0;
  readonly #startedAt = Date.now();
  readonly #running: Promise<unknown>;
  #isStopped = false;

  constructor(queue: string, brokers: readonly Rpc[]) {
    const run = async (i: number) => {
      for (let turn = i; !this.#isStopped; turn++) {
        const { tasks } = brokers[turn % brokers.length] as Rpc;
        const isAccepted = await tasks.enqueue({ type: "work", queue }).then(
          () => true,
          () => false,
        );
        if (isAccepted) this.accepted++;
        // A dead broker refuses at once.
        else await sleep(2);
      }
    };
    this.#running = Promise.all(Array.from({ length: PRODUCERS }, (_, i) => run(i)));
  }

  async untilAccepted(count: number): Promise<void> {
    await until(
      () => `${count} tasks are accepted; ${this.accepted} are`,
      () => this.accepted >= count,
      {
        withinMs: 20_000,
      },
    );
  }

  /** Resolves with how many the rate may have admitted. */
  async stop(): Promise<number> {
    this.#isStopped = true;
    await this.#running;
    return RATE.burst + (RATE.perSecond * (Date.now() - this.#startedAt + SLACK_MS)) / 1_000;
  }
}

/** Nothing that was accepted is missing, and no more than may be was. */
async function checkRate(rpc: Rpc, queue: string, producers: Producers): Promise<void> {
  const admitted = await producers.stop();
  const { enqueued = 0, ready = 0 } = (await countersOf(rpc, queue)) ?? {};
  expect(enqueued).toBeLessThanOrEqual(admitted);
  expect(enqueued).toBeGreaterThanOrEqual(producers.accepted);
  expect(ready).toBe(enqueued);
  expect((await rpc.queues.getQueue({ queue })).queue?.enqueueRate).toEqual(RATE);
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
  await rpc.queues.updateQueue({ queue, enqueueRate: RATE });

  const producers = new Producers(queue, [connectTo(doomed), rpc]);
  await producers.untilAccepted(RATE.burst * 1.5);
  await doomed.kill();
  await startBroker({ ...settings, grpcListen: doomed.address });
  await producers.untilAccepted(RATE.burst * 4);

  await checkRate(rpc, queue, producers);
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
  await rpc.queues.updateQueue({ queue, enqueueRate: RATE });

  const producers = new Producers(queue, [rpc]);
  await producers.untilAccepted(RATE.burst * 1.5);
  await broker.kill();
  await startBroker({ ...settings, grpcListen: broker.address });
  await producers.untilAccepted(RATE.burst * 4);

  await checkRate(rpc, queue, producers);
});

test("is kept when Redis is killed and started again", async ({ queue, startRedis, startBroker, connectTo }) => {
  const redis = await startRedis();
  const brokers = [connectTo(await startBroker(onRedis(redis))), connectTo(await startBroker(onRedis(redis)))];
  const [rpc] = brokers as [Rpc];
  await rpc.queues.updateQueue({ queue, enqueueRate: RATE });

  const producers = new Producers(queue, brokers);
  await producers.untilAccepted(RATE.burst * 1.5);
  await redis.kill();
  await redis.restart();
  await producers.untilAccepted(RATE.burst * 4);

  await checkRate(rpc, queue, producers);
});
