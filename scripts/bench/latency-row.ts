/** From the call of enqueue to the start of the handler, with nothing else to do. */
import type { Percentiles } from "../../test/load/protocol.ts";
import type { Producer, WorkerProcess } from "../../test/load/roles.ts";
import { type Row, record, runEndToEnd, sized, startCrew, withSystem } from "./row.ts";
import { SYSTEM_NAMES } from "./settings.ts";
import type { System } from "./system.ts";

const TASKS_PER_SECOND = 200;

/** The first seconds of the processes count as cold, and those after some thousand tasks as warm. */
export const latencyRow: Row = {
  systems: SYSTEM_NAMES,
  measure: (bench) =>
    withSystem(bench, async (system, producer, worker) => {
      const { latencySeconds, single } = bench.settings.sizes;
      const count = latencySeconds * TASKS_PER_SECOND;
      const cold = await pace(system, producer, worker, { queue: "cold", count });
      record(bench, { coldP50: cold.p50, coldP95: cold.p95, coldP99: cold.p99 });
      await runEndToEnd(system, producer, worker, {
        queue: "warm-up",
        count: sized(bench, single / 4),
        mode: "single",
      });
      const warm = await pace(system, producer, worker, { queue: "warm", count });
      record(bench, { warmP50: warm.p50, warmP95: warm.p95, warmP99: warm.p99 });
    }),
};

async function pace(
  system: System,
  producer: Producer,
  worker: WorkerProcess,
  { queue, count }: { readonly queue: string; readonly count: number },
): Promise<Percentiles> {
  await startCrew(system, worker, { queue, expected: count, work: { kind: "latency" } });
  await producer.ask.pace({ queue, count, perSecond: TASKS_PER_SECOND });
  await worker.ask.ended();
  await worker.ask.stop();
  return worker.ask.recorded();
}
