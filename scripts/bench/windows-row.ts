/** Many workers that take one task at a time, on two brokers: is any of them ever left without one? */
import { setTimeout as sleep } from "node:timers/promises";
import type { Asked } from "../../test/load/ask.ts";
import { monotonicMs } from "../../test/load/clock.ts";
import type { Target, WorkerCommands } from "../../test/load/protocol.ts";
import { PER_SECOND, type Row, record, withSystem } from "./row.ts";
import type { System } from "./system.ts";

const QUEUE = "windows";
const PROCESSES = 2;
const WORKERS_PER_PROCESS = 20;
const HANDLER_MS = 100;
const WARM_UP_MS = 3_000;
/** Connections are made before the measured time begins. */
const SETTLE_MS = 1_000;

export const windowsRow: Row = {
  systems: ["redis-everysec", "bullmq"],
  measure: (bench) =>
    withSystem(
      bench,
      async (system, producer, firstWorker) => {
        const { sizes } = bench.settings;
        await firstWorker.kill();
        const processes = await Promise.all(
          Array.from({ length: PROCESSES }, (_, i) => system.startWorker({ target: onlyBroker(system, i) })),
        );
        const measuredMs = sizes.windowSeconds * PER_SECOND;
        const slots = PROCESSES * WORKERS_PER_PROCESS;
        // Half more than can be done, so that the queue is full to the end.
        const count = Math.ceil((1.5 * slots * (WARM_UP_MS + measuredMs + 2 * SETTLE_MS)) / HANDLER_MS);
        await producer.ask.load({ queue: QUEUE, count, mode: "bulk" });
        await busyWithin(processes, WARM_UP_MS);
        const busyMs = await busyWithin(processes, measuredMs);
        record(bench, { busyShare: (100 * busyMs) / (slots * measuredMs) });
      },
      { brokers: PROCESSES },
    ),
};

async function busyWithin(processes: readonly Asked<WorkerCommands>[], measuredMs: number): Promise<number> {
  const work = { kind: "sleep", minMs: HANDLER_MS, maxMs: HANDLER_MS } as const;
  const crew = { queue: QUEUE, workers: WORKERS_PER_PROCESS, concurrency: 1, work, expected: 0 };
  await Promise.all(processes.map(({ ask }) => ask.start(crew)));
  await sleep(SETTLE_MS);
  const startedAt = monotonicMs();
  await sleep(measuredMs);
  const span = { startedAt, endedAt: startedAt + measuredMs };
  // A handler is recorded when it ends: those that run at the end of the span are waited for.
  await sleep(3 * HANDLER_MS);
  const busy = await Promise.all(processes.map(({ ask }) => ask.busy(span)));
  await Promise.all(processes.map(({ ask }) => ask.stop()));
  return busy.reduce((sum, ms) => sum + ms, 0);
}

/** Each process knows one broker only, so that the workers are spread evenly. BullMQ has no brokers. */
function onlyBroker({ target, brokers }: System, i: number): Target {
  const broker = brokers[i];
  return broker ? { kind: "taskwire", addresses: [broker.address] } : target;
}
