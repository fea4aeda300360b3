/** Giving very many dead tasks another life, and what that does to a queue that is served meanwhile. */
import { setTimeout as sleep } from "node:timers/promises";
import { monotonicMs } from "../../test/load/clock.ts";
import type { Producer, Visitor, WorkerProcess } from "../../test/load/roles.ts";
import { medianOf, percentilesOf } from "./figures.ts";
import { confirmCompleted, type Row, record, runEndToEnd, sized, startCrew, withSystem } from "./row.ts";
import type { System } from "./system.ts";

const GRAVES = "graves";
const SERVED = "served";
const TASKS_PER_SECOND = 200;
/** The first tasks of a queue are not counted. */
const BEGIN_MS = 500;
const IDLE_MS = 2_000;

export const reviveRow: Row = {
  systems: ["redis-everysec", "embedded"],
  measure: (bench) =>
    withSystem(bench, async (system, producer, worker) => {
      const { single, dead, revivals } = bench.settings.sizes;
      const [undertaker, visitor] = [await system.startWorker(), await system.startVisitor()];
      await runEndToEnd(system, producer, worker, { queue: "warm", count: sized(bench, single / 4), mode: "single" });
      await producer.ask.load({ queue: GRAVES, count: dead, mode: "bulk" });
      const idle: number[] = [];
      const busy: number[] = [];
      const took: number[] = [];
      for (let round = 1; round <= revivals; round++) {
        await buryAll(system, producer, undertaker, dead);
        const queue = `${SERVED}-${round}`;
        const served = await serveWhile(system, { producer, worker, queue }, () => revive(visitor, dead));
        idle.push(...served.before);
        busy.push(...served.during);
        took.push(served.tookMs);
      }
      const [idleP99, busyP99] = [percentilesOf(idle).p99, percentilesOf(busy).p99];
      record(bench, {
        reviveMs: medianOf(took),
        reviveIdleP99: idleP99,
        reviveBusyP99: busyP99,
        reviveRatio: idleP99 && busyP99 && busyP99 / idleP99,
      });
    }),
};

/** All tasks of the queue of the dead fail for good. */
async function buryAll(system: System, producer: Producer, undertaker: WorkerProcess, dead: number): Promise<void> {
  await startCrew(system, undertaker, { queue: GRAVES, expected: dead, work: { kind: "bury" } });
  await undertaker.ask.ended();
  for (let counts = await producer.ask.counts({ queue: GRAVES }); counts.dead !== dead; ) {
    await sleep(20);
    counts = await producer.ask.counts({ queue: GRAVES });
  }
  await undertaker.ask.stop();
}

async function revive(visitor: Visitor, dead: number): Promise<void> {
  const request = { tasks: { queue: GRAVES } };
  // The contract's answer, in JSON.
  const answer = (await visitor.ask.call({ rpc: "TaskService/ReviveTasks", request })) as { revived?: string };
  if (Number(answer.revived) !== dead) throw new Error(`${dead} tasks were dead, but ${answer.revived} were revived`);
}

interface Served {
  readonly before: readonly number[];
  readonly during: readonly number[];
  readonly tookMs: number;
}

/** Enqueues evenly and has it handled; then also does `disturb`. Resolves with the latencies before that and during it. */
async function serveWhile(
  system: System,
  { producer, worker, queue }: { producer: Producer; worker: WorkerProcess; queue: string },
  disturb: () => Promise<void>,
): Promise<Served> {
  await startCrew(system, worker, { queue, expected: 0, work: { kind: "latency" } });
  const pace = producer.ask.pace({ queue, count: Number.MAX_SAFE_INTEGER, perSecond: TASKS_PER_SECOND });
  await sleep(BEGIN_MS + IDLE_MS);
  const startedAt = monotonicMs();
  await disturb().finally(() => producer.ask.endPace());
  const endedAt = monotonicMs();
  const count = await pace;
  await confirmCompleted(producer, queue, count);
  const before = await worker.ask.latencies({ startedAt: startedAt - IDLE_MS, endedAt: startedAt });
  const during = await worker.ask.latencies({ startedAt, endedAt });
  await worker.ask.stop();
  return { before, during, tookMs: endedAt - startedAt };
}
