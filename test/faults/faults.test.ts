/** Faults of workers, brokers and Redis, with real processes: what each must not do to the tasks. */
import { Client } from "@taskwire/client";
import { afterAll, test as base, beforeAll, describe, expect } from "vitest";
import { Processes, type WorkerProcess } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { audit, totals } from "./audit.ts";

interface Fixtures {
  readonly processes: Processes;
}

const test = base.extend<Fixtures>({
  processes: async ({}, use) => {
    const processes = new Processes();
    await use(processes);
    await processes.close();
  },
});

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ appendonly: "yes", appendfsync: "always" });
});
afterAll(() => redis.destroy());

let namespaces = 0;
const onRedis = () => [
  "--store",
  "redis",
  "--redis-url",
  redis.url,
  "--namespace",
  `faults-${++namespaces}`,
  "--log-level",
  "info",
];
const onDisk = (dir: string) => ["--store", "embedded", "--data-dir", dir, "--log-level", "info"];

/** Enqueues `count` tasks one by one, many at a time; resolves with their ids. */
async function enqueueAll(client: Client, count: number): Promise<string[]> {
  const enqueued = await Promise.all(
    Array.from({ length: count }, (_, n) => client.enqueue("work", { n }, { timeoutMs: 20_000, deadlineMs: 40_000 })),
  );
  return enqueued.map(({ taskId }) => taskId);
}

function started(worker: WorkerProcess): number {
  return worker.events().filter(({ kind }) => kind === "start").length;
}

const LONG = { withinMs: 30_000 };

describe.for(["embedded", "redis"] as const)("with the %s store", (store) => {
  const storeArgs = async (processes: Processes) => (store === "redis" ? onRedis() : onDisk(await processes.folder()));

  test("a worker that is killed amid its tasks gives them to another at once", async ({ processes }) => {
    const { address } = await processes.broker(await storeArgs(processes));
    await using client = new Client({ address });
    const victim = await processes.worker({ addresses: [address], concurrency: 5, taskMs: 60_000 });
    const ids = await enqueueAll(client, 5);
    await until("the victim runs all", () => started(victim) === 5, LONG);
    const heir = await processes.worker({ addresses: [address], concurrency: 5, taskMs: 0 });
    await until("the heir is there", () => heir.events().some(({ kind }) => kind === "connected"), LONG);

    const killedAt = performance.timeOrigin + performance.now();
    await victim.end("SIGKILL");

    await audit(client, ids, [heir]);
    const delays = heir
      .events()
      .filter(({ kind }) => kind === "start")
      .map(({ atMs }) => atMs - killedAt);
    expect(Math.max(...delays)).toBeLessThan(2_000);
    expect((await totals(client))?.lost).toBe(5);
  });

  test("a worker that was frozen past its session changes nothing when it wakes up", async ({ processes }) => {
    const { address } = await processes.broker(await storeArgs(processes));
    await using client = new Client({ address });
    const frozen = await processes.worker({ addresses: [address], concurrency: 3, taskMs: 300 });
    await until("it is connected", () => frozen.events().some(({ kind }) => kind === "connected"), LONG);
    const tasks = Array.from({ length: 3 }, (_, n) =>
      client.enqueue("work", { n }, { timeoutMs: 1_000, maxRetries: 9 }),
    );
    const ids = (await Promise.all(tasks)).map(({ taskId }) => taskId);
    await until("it runs them", () => started(frozen) === 3, LONG);

    frozen.signal("SIGSTOP");
    await until("their attempts have timed out", async () => ((await totals(client))?.failed ?? 0) >= 3, LONG);
    const other = await processes.worker({ addresses: [address], concurrency: 3, taskMs: 0 });
    await until("another has done them", async () => (await totals(client))?.completed === 3, LONG);
    frozen.signal("SIGCONT");
    await until(
      "the frozen one has been told",
      () => frozen.events().filter(({ kind }) => kind !== "start").length > 1 || started(frozen) === 3,
      LONG,
    );

    await audit(client, ids, [other]);
  });

  test("a worker and a broker that are asked to leave under load lose nothing and spend no attempt", async ({
    processes,
  }) => {
    const args = await storeArgs(processes);
    const broker = await processes.broker(args);
    await using client = new Client({ address: broker.address });
    const leaving = await processes.worker({ addresses: [broker.address], concurrency: 10, taskMs: 20 });
    const staying = await processes.worker({ addresses: [broker.address], concurrency: 10, taskMs: 20 });
    await until("both are there", () => [leaving, staying].every((worker) => worker.events().length > 0), LONG);

    const enqueueing = enqueueAll(client, 400);
    await until("there is load", () => started(leaving) > 20, LONG);
    expect(await leaving.end("SIGTERM")).toBe(0);
    expect(await broker.end("SIGTERM")).toBe(0);
    await processes.broker(args, broker.address);

    await audit(client, await enqueueing, [leaving, staying]);
    expect(await totals(client)).toMatchObject({ failed: 0, lost: 0 });
  });

  test("a broker that is killed under load loses nothing that it acknowledged", async ({ processes }) => {
    const args = await storeArgs(processes);
    const broker = await processes.broker(args);
    await using client = new Client({ address: broker.address });
    const worker = await processes.worker({ addresses: [broker.address], concurrency: 20, taskMs: 5 });
    await until("it is there", () => worker.events().length > 0, LONG);

    const enqueueing = enqueueAll(client, 600);
    await until("there is load", () => started(worker) > 50, LONG);
    await broker.end("SIGKILL");
    await processes.broker(args, broker.address);

    await audit(client, await enqueueing, [worker]);
  });
});

describe("with two brokers on one Redis", () => {
  test("what a killed broker had leased is given away by the other, and its worker settles there", async ({
    processes,
  }) => {
    const args = onRedis();
    const doomed = await processes.broker(args);
    const other = await processes.broker(args);
    await using client = new Client({ address: other.address });
    const worker = await processes.worker({ addresses: [doomed.address, other.address], concurrency: 20, taskMs: 30 });
    await until("it is there", () => worker.events().length > 0, LONG);

    const enqueueing = enqueueAll(client, 500);
    await until("there is load", () => started(worker) > 60, LONG);
    await doomed.end("SIGKILL");

    await audit(client, await enqueueing, [worker]);
  });

  test("a broker that was frozen and wakes up accepts nothing twice", async ({ processes }) => {
    const args = onRedis();
    const frozen = await processes.broker(args);
    const other = await processes.broker(args);
    await using client = new Client({ address: other.address });
    const itsWorker = await processes.worker({ addresses: [frozen.address], concurrency: 10, taskMs: 50 });
    await until("it is there", () => itsWorker.events().length > 0, LONG);
    const ids = await enqueueAll(client, 200);
    await until("there is load", () => started(itsWorker) > 20, LONG);

    frozen.signal("SIGSTOP");
    const heir = await processes.worker({ addresses: [other.address], concurrency: 20, taskMs: 0 });
    await until(
      "the other broker has handed out everything",
      async () => (await totals(client))?.completed === 200,
      LONG,
    );
    frozen.signal("SIGCONT");

    await audit(client, ids, [heir, itsWorker]);
  });
});

test("a Redis that is killed and restarted under load loses nothing that was acknowledged", async ({ processes }) => {
  const { address } = await processes.broker(onRedis());
  await using client = new Client({ address });
  const worker = await processes.worker({ addresses: [address], concurrency: 20, taskMs: 5 });
  await until("it is there", () => worker.events().length > 0, LONG);

  const enqueueing = enqueueAll(client, 600);
  await until("there is load", () => started(worker) > 50, LONG);
  await redis.kill();
  await redis.restart();

  await audit(client, await enqueueing, [worker]);
});
