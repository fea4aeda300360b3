/** Enqueuing and handling at the same time, and what that costs each process. */
import type { Load } from "../../test/load/protocol.ts";
import type { Producer, WorkerProcess } from "../../test/load/roles.ts";
import { cpuMicrosOf } from "./process-stats.ts";
import { perSecond, type Row, record, runEndToEnd, sized, withSystem } from "./row.ts";
import { SYSTEM_NAMES } from "./settings.ts";
import type { System } from "./system.ts";

export const endToEndRow: Row = {
  systems: SYSTEM_NAMES,
  measure: (bench) =>
    withSystem(bench, async (system, producer, worker) => {
      const { single, bulk } = bench.settings.sizes;
      const run = (load: Load) => runEndToEnd(system, producer, worker, load);
      await run({ queue: "warm-single", count: sized(bench, single / 4), mode: "single" });
      await run({ queue: "warm-bulk", count: sized(bench, bulk / 4), mode: "bulk" });
      const singles: Load = { queue: "single", count: sized(bench, single), mode: "single" };
      const before = await cpuOfAll(system, producer, worker);
      record(bench, { endToEndSingle: perSecond(singles.count, await run(singles)) });
      record(bench, cpuPerTask(before, await cpuOfAll(system, producer, worker), singles.count));
      const bulks: Load = { queue: "bulk", count: sized(bench, bulk), mode: "bulk" };
      record(bench, { endToEndBulk: perSecond(bulks.count, await run(bulks)) });
    }),
};

interface Cpu {
  readonly producer: number;
  readonly worker: number;
  readonly broker: number | undefined;
  readonly redis: number | undefined;
}

async function cpuOfAll({ brokers, redisPid }: System, producer: Producer, worker: WorkerProcess): Promise<Cpu> {
  const [broker] = brokers;
  return {
    producer: await producer.ask.cpu(),
    worker: await worker.ask.cpu(),
    broker: broker && (await cpuMicrosOf(broker.pid)),
    redis: redisPid === undefined ? undefined : await cpuMicrosOf(redisPid),
  };
}

function cpuPerTask(before: Cpu, after: Cpu, tasks: number) {
  const per = (process: keyof Cpu) => {
    const [from, to] = [before[process], after[process]];
    return from === undefined || to === undefined ? undefined : (to - from) / tasks;
  };
  const parts = [per("producer"), per("broker"), per("worker"), per("redis")];
  const [cpuProducer, cpuBroker, cpuWorker, cpuRedis] = parts;
  // A part that does not exist costs nothing; where /proc does not exist no sum is known.
  const isKnown = cpuBroker !== undefined || cpuRedis !== undefined;
  const cpuTotal = isKnown ? parts.reduce<number>((sum, part) => sum + (part ?? 0), 0) : undefined;
  return { cpuProducer, cpuBroker, cpuWorker, cpuRedis, cpuTotal };
}
