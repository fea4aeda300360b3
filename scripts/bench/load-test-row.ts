/** The load test that the project was given: many slow tasks, five workers, a few failures. */
import { setTimeout as sleep } from "node:timers/promises";
import { monotonicMs } from "../../test/load/clock.ts";
import type { Counts } from "../../test/load/protocol.ts";
import type { Producer } from "../../test/load/roles.ts";
import { PER_SECOND, type Row, record, withSystem } from "./row.ts";

const WORKERS = 5;
/** 1,000 slots for handlers of 234 ms: 100,000 tasks take 23.4 s at the least. */
const CONCURRENCY = 200;
/** 234 ms on average; 3 of 10,000 fail at their first attempt. */
const WORK = { kind: "sleep", minMs: 100, maxMs: 368, failEvery: 3_333 } as const;
const QUEUE = "load-test";
const PATIENCE_MS = 120_000;

export const loadTestRow: Row = {
  systems: ["redis-everysec", "embedded"],
  measure: (bench) =>
    withSystem(bench, async (system, producer, first) => {
      const count = bench.settings.sizes.loadTest;
      const others = await Promise.all(Array.from({ length: WORKERS - 1 }, () => system.startWorker()));
      const crew = { queue: QUEUE, workers: 1, concurrency: CONCURRENCY, work: WORK, expected: 0 };
      await Promise.all([first, ...others].map(({ ask }) => ask.start(crew)));
      const { startedAt } = await producer.ask.load({ queue: QUEUE, count, mode: "single" });
      const counts = await untilAllEnded(producer, count);
      const seconds = (monotonicMs() - startedAt) / PER_SECOND;
      record(bench, {
        loadTestSeconds: seconds,
        loadTestPerMinute: (counts.completed * 60) / seconds,
        loadTestFailed: counts.failed,
        loadTestRetried: counts.retried,
        loadTestFirstTry: (100 * (count - counts.failed)) / count,
        loadTestLost: count - counts.completed,
      });
    }),
};

async function untilAllEnded(producer: Producer, count: number): Promise<Counts> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const counts = await producer.ask.counts({ queue: QUEUE });
    if (counts.completed + counts.dead >= count || performance.now() > deadline) return counts;
    await sleep(50);
  }
}
