/** The same rates with very many tasks queued, as a share of those of an empty queue. */
import type { Load } from "../../test/load/protocol.ts";
import type { Producer, WorkerProcess } from "../../test/load/roles.ts";
import { drain, perSecond, type Row, record, runEndToEnd, sized, startCrew, withSystem } from "./row.ts";
import { SYSTEM_NAMES } from "./settings.ts";
import type { System } from "./system.ts";

const BACKLOG = "backlog";

export const backlogRow: Row = {
  systems: SYSTEM_NAMES,
  measure: (bench) =>
    withSystem(bench, async (system, producer, worker) => {
      const { single, bulk, queued } = bench.settings.sizes;
      const singles = sized(bench, single / 2);
      const drained = sized(bench, bulk / 2);
      const name = (part: string) => ({ single: `${part}-single`, other: `${part}-other` });
      await ratesOfEmpty(system, producer, worker, { ...name("warm"), singles, drained });
      const empty = await ratesOfEmpty(system, producer, worker, { ...name("empty"), singles, drained });
      await producer.ask.load({ queue: BACKLOG, count: queued, mode: "bulk" });
      const full = await ratesOfFull(system, producer, worker, { other: "other", singles, drained });
      record(bench, {
        backlogEnqueue: (100 * full.enqueue) / empty.enqueue,
        backlogDrain: (100 * full.drain) / empty.drain,
        backlogEndToEnd: (100 * full.endToEnd) / empty.endToEnd,
      });
    }),
};

interface Part {
  readonly other: string;
  readonly singles: number;
  readonly drained: number;
}

async function ratesOfEmpty(
  system: System,
  producer: Producer,
  worker: WorkerProcess,
  { single, other, singles, drained }: Part & { readonly single: string },
) {
  const enqueued: Load = { queue: single, count: singles, mode: "single" };
  const enqueue = perSecond(singles, await producer.ask.load(enqueued));
  await drain(system, producer, worker, enqueued);
  const bulk: Load = { queue: `${single}-bulk`, count: drained, mode: "bulk" };
  await producer.ask.load(bulk);
  const drainRate = perSecond(drained, await drain(system, producer, worker, bulk));
  const endToEnd = await runEndToEnd(system, producer, worker, { queue: other, count: singles, mode: "single" });
  return { enqueue, drain: drainRate, endToEnd: perSecond(singles, endToEnd) };
}

async function ratesOfFull(system: System, producer: Producer, worker: WorkerProcess, part: Part) {
  const { other, singles, drained } = part;
  const enqueue = perSecond(singles, await producer.ask.load({ queue: BACKLOG, count: singles, mode: "single" }));
  const endToEnd = await runEndToEnd(system, producer, worker, { queue: other, count: singles, mode: "single" });
  await startCrew(system, worker, { queue: BACKLOG, expected: drained });
  const span = await worker.ask.ended();
  await worker.ask.stop();
  return { enqueue, drain: perSecond(drained, span), endToEnd: perSecond(singles, endToEnd) };
}
