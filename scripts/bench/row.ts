/** What a row of the benchmark is given, and steps that several rows take. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Load, Span, Work } from "../../test/load/protocol.ts";
import type { Producer, WorkerProcess } from "../../test/load/roles.ts";
import type { FigureName, Figures } from "./figures.ts";
import type { Settings, SystemName } from "./settings.ts";
import { type System, type SystemChoice, startSystem } from "./system.ts";

/** Measures one system once and adds what it found to the figures. */
export interface Row {
  readonly systems: readonly SystemName[];
  measure(bench: Bench): Promise<void>;
}

export interface Bench {
  readonly name: SystemName;
  readonly settings: Settings;
  readonly figures: Figures;
}

export const PER_SECOND = 1_000;
/** BullMQ takes several times as long for a task: fewer tasks measure it as well, in the same time. */
const SLOW_SYSTEM_DIVISOR = 8;

export function record({ figures, name }: Bench, values: Partial<Record<FigureName, number | undefined>>): void {
  for (const [figure, value] of Object.entries(values)) figures.add(name, figure as FigureName, value);
}

/** The number of tasks for this system. */
export function sized({ name }: Pick<Bench, "name">, tasks: number): number {
  return name === "bullmq" ? Math.ceil(tasks / SLOW_SYSTEM_DIVISOR) : tasks;
}

/** Starts the system of a row, with one producer and one worker, and ends all when the row is done. */
export async function withSystem(
  { name, settings }: Bench,
  run: (system: System, producer: Producer, worker: WorkerProcess) => Promise<void>,
  choice: SystemChoice = {},
): Promise<void> {
  const system = await startSystem(name, settings, choice);
  try {
    await run(system, await system.startProducer(), await system.startWorker());
  } finally {
    await system.close();
  }
}

export function perSecond(count: number, { startedAt, endedAt }: Span): number {
  return (count * PER_SECOND) / (endedAt - startedAt);
}

/** One crew of the system's usual size, which ends `expected` tasks. */
export function startCrew(
  system: System,
  worker: WorkerProcess,
  { queue, expected, work = { kind: "nothing" } }: { queue: string; expected: number; work?: Work },
): Promise<void> {
  return worker.ask.start({ queue, workers: 1, concurrency: system.concurrency, work, expected });
}

/** Enqueues while a worker takes, and resolves with the span from the first call to the last handler's end. */
export async function runEndToEnd(
  system: System,
  producer: Producer,
  worker: WorkerProcess,
  load: Load,
): Promise<Span> {
  await startCrew(system, worker, { queue: load.queue, expected: load.count });
  const [{ startedAt }, { endedAt }] = await Promise.all([producer.ask.load(load), worker.ask.ended()]);
  await confirmCompleted(producer, load.queue, load.count);
  await worker.ask.stop();
  return { startedAt, endedAt };
}

/** Lets a worker empty the queue; resolves with the span from the first to the last handler's end. */
export async function drain(
  system: System,
  producer: Producer,
  worker: WorkerProcess,
  { queue, count }: { queue: string; count: number },
): Promise<Span> {
  await startCrew(system, worker, { queue, expected: count });
  const span = await worker.ask.ended();
  await confirmCompleted(producer, queue, count);
  await worker.ask.stop();
  return span;
}

/** The handlers have run; now the system itself must say that so many tasks are completed, no more and no fewer. */
export async function confirmCompleted(producer: Producer, queue: string, count: number): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const counts = await producer.ask.counts({ queue });
    if (counts.completed === count && counts.active === 0) return;
    if (performance.now() > deadline || counts.completed > count) {
      throw new Error(`${count} handlers have ended, but the queue says ${JSON.stringify(counts)}`);
    }
    await sleep(20);
  }
}
