/** Filling a queue and emptying it, each by itself; and what a task takes while it waits. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Load } from "../../test/load/protocol.ts";
import type { Producer } from "../../test/load/roles.ts";
import { drain, perSecond, type Row, record, sized, withSystem } from "./row.ts";
import { SYSTEM_NAMES } from "./settings.ts";
import type { System } from "./system.ts";

/** Buffers of connections are freed within this time, and do not count as memory of tasks. */
const SETTLE_MS = 500;

export const queueRow: Row = {
  systems: SYSTEM_NAMES,
  measure: (bench) =>
    withSystem(bench, async (system, producer, worker) => {
      const { single, bulk } = bench.settings.sizes;
      for (const mode of ["single", "bulk"] as const) {
        const warm = { queue: `warm-${mode}`, count: sized(bench, bulk / 10), mode };
        await producer.ask.load(warm);
        await drain(system, producer, worker, warm);
      }
      const oneByOne: Load = { queue: "single", count: sized(bench, single / 2), mode: "single" };
      const inBulk: Load = { queue: "bulk", count: sized(bench, bulk), mode: "bulk" };
      const singles = await fill(system, producer, oneByOne);
      record(bench, { enqueueSingle: singles.rate, bytesSingle: singles.bytes });
      await drain(system, producer, worker, oneByOne);
      const bulks = await fill(system, producer, inBulk);
      record(bench, { enqueueBulk: bulks.rate, bytesBulk: bulks.bytes });
      record(bench, { drain: perSecond(inBulk.count, await drain(system, producer, worker, inBulk)) });
    }),
};

async function fill(system: System, producer: Producer, load: Load) {
  const before = await system.storeBytes();
  const rate = perSecond(load.count, await producer.ask.load(load));
  await sleep(SETTLE_MS);
  const after = await system.storeBytes();
  return {
    rate,
    bytes: before === undefined || after === undefined ? undefined : (after - before) / load.count,
  };
}
