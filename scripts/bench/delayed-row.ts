/** How late a delayed task starts: when very many become due at one moment, and when they do so one after the other. */
import type { Load, Percentiles } from "../../test/load/protocol.ts";
import type { Producer, WorkerProcess } from "../../test/load/roles.ts";
import { PER_SECOND, type Row, record, runEndToEnd, sized, startCrew, withSystem } from "./row.ts";
import { SYSTEM_NAMES } from "./settings.ts";
import type { System } from "./system.ts";

const DUE_PER_SECOND = 200;
/** Long enough to enqueue all before the first is due. What is enqueued late fails the row. */
const LEAD_MS = 2_000;
const LEAD_MS_PER_TASK = 0.15;

export const delayedRow: Row = {
  systems: SYSTEM_NAMES,
  measure: (bench) =>
    withSystem(bench, async (system, producer, worker) => {
      const { single, dueAtOnce, dueOneByOne } = bench.settings.sizes;
      await runEndToEnd(system, producer, worker, { queue: "warm", count: sized(bench, single / 4), mode: "single" });
      const atOnce = await lateness(system, producer, worker, { queue: "at-once", count: dueAtOnce, stepMs: 0 });
      record(bench, { dueAtOnceP50: atOnce.p50, dueAtOnceP99: atOnce.p99 });
      const oneByOne = await lateness(system, producer, worker, {
        queue: "one-by-one",
        count: dueOneByOne,
        stepMs: PER_SECOND / DUE_PER_SECOND,
      });
      record(bench, { dueOneByOneP50: oneByOne.p50, dueOneByOneP99: oneByOne.p99 });
    }),
};

async function lateness(
  system: System,
  producer: Producer,
  worker: WorkerProcess,
  { queue, count, stepMs }: { readonly queue: string; readonly count: number; readonly stepMs: number },
): Promise<Percentiles> {
  await startCrew(system, worker, { queue, expected: count, work: { kind: "lateness" } });
  const firstAt = Date.now() + LEAD_MS + count * LEAD_MS_PER_TASK;
  const load: Load = { queue, count, mode: "bulk", due: { firstAt, stepMs } };
  await producer.ask.load(load);
  if (Date.now() > firstAt) throw new Error(`${system.name} took too long to enqueue ${count} delayed tasks`);
  await worker.ask.ended();
  await worker.ask.stop();
  return worker.ask.recorded();
}
