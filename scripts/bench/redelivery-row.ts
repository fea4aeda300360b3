/** How soon a task that was lost with its worker, its stream or its broker is with another worker. */
import { monotonicMs } from "../../test/load/clock.ts";
import type { Target } from "../../test/load/protocol.ts";
import { startProxy } from "../../test/load/proxy.ts";
import type { Producer, WorkerProcess } from "../../test/load/roles.ts";
import { closing } from "./closing.ts";
import { percentilesOf } from "./figures.ts";
import { type Bench, type Row, record, withSystem } from "./row.ts";
import type { System } from "./system.ts";

const HOLD = { workers: 1, concurrency: 1, work: { kind: "hold" }, expected: 0 } as const;

/** BullMQ gives such tasks to others after 30 to 60 s (lockDuration and stalledInterval by default): not measured. */
export const redeliveryRow: Row = {
  systems: ["redis-everysec", "embedded"],
  measure: async (bench) => {
    const reset = await measureResets(bench);
    record(bench, { resetP50: reset.p50, resetP99: reset.p99 });
    const workerKill = await measureWorkerKills(bench);
    record(bench, { workerKillP50: workerKill.p50, workerKillP99: workerKill.p99 });
    // Only brokers that share a store can stand in for each other.
    if (bench.name === "embedded") return;
    const brokerKill = await measureBrokerKills(bench);
    record(bench, { brokerKillP50: brokerKill.p50, brokerKillP99: brokerKill.p99 });
  },
};

function measureResets(bench: Bench) {
  return eachRound(bench, async ({ system, producer, queue }) => {
    const proxy = await startProxy(system.brokers[0]?.address ?? "");
    const close = closing(proxy.close);
    const holder = await system.startWorker({ target: { kind: "taskwire", addresses: [proxy.address] } });
    const other = await system.startWorker();
    const ms = await timeOfRedelivery({ producer, queue, holder, other }, () => proxy.reset());
    await close();
    await Promise.all([holder.kill(), other.kill()]);
    return ms;
  });
}

function measureWorkerKills(bench: Bench) {
  return eachRound(bench, async ({ system, producer, queue }) => {
    const [holder, other] = await Promise.all([system.startWorker(), system.startWorker()]);
    const ms = await timeOfRedelivery({ producer, queue, holder, other }, () => void holder.kill());
    await other.kill();
    return ms;
  });
}

/** Each round has brokers of its own: the one that holds the lease, and the one that finds it ownerless. */
function measureBrokerKills(bench: Bench) {
  return eachRound(bench, async ({ system, producer, queue }) => {
    const dying = await system.startBroker();
    const [first] = system.brokers;
    const target: Target = { kind: "taskwire", addresses: [dying.address] };
    const holder = await system.startWorker({ target });
    const other = await system.startWorker({ target: { kind: "taskwire", addresses: [first?.address ?? ""] } });
    const ms = await timeOfRedelivery({ producer, queue, holder, other }, () => void dying.kill());
    await Promise.all([holder.kill(), other.kill()]);
    return ms;
  });
}

interface Round {
  readonly system: System;
  readonly producer: Producer;
  readonly queue: string;
}

/** One system for all rounds; a queue of its own for each. The first round only warms up. */
async function eachRound(bench: Bench, measure: (round: Round) => Promise<number>) {
  const times: number[] = [];
  await withSystem(bench, async (system, producer) => {
    for (let round = 0; round <= bench.settings.sizes.rounds; round++) {
      const ms = await measure({ system, producer, queue: `round-${round}` });
      if (round > 0) times.push(ms);
    }
  });
  return percentilesOf(times);
}

interface Pair {
  readonly producer: Producer;
  readonly queue: string;
  readonly holder: WorkerProcess;
  readonly other: WorkerProcess;
}

/** The holder has the task before the other worker comes; then `strike` takes it from the holder. */
async function timeOfRedelivery({ producer, queue, holder, other }: Pair, strike: () => void): Promise<number> {
  await holder.ask.start({ queue, ...HOLD });
  await producer.ask.load({ queue, count: 1, mode: "single" });
  await holder.ask.began({ number: 1 });
  await other.ask.start({ queue, ...HOLD });
  const again = other.ask.began({ number: 1 });
  const struckAt = monotonicMs();
  strike();
  return (await again) - struckAt;
}
