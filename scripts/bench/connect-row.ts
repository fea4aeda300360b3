/** Enqueuing without gRPC: one task in each request of the Connect protocol, as curl sends it. */
import { cpuMicrosOf } from "./process-stats.ts";
import { perSecond, type Row, record, withSystem } from "./row.ts";

const CONNECTIONS = 20;

export const connectRow: Row = {
  systems: ["redis-everysec", "embedded"],
  measure: (bench) =>
    withSystem(bench, async (system, producer) => {
      const { webCalls: count } = bench.settings.sizes;
      const pid = system.brokers[0]?.pid ?? 0;
      const visitor = await system.startVisitor();
      await visitor.ask.enqueue({ queue: "warm", count: Math.ceil(count / 4), connections: CONNECTIONS });
      const before = await cpuMicrosOf(pid);
      const span = await visitor.ask.enqueue({ queue: "web", count, connections: CONNECTIONS });
      const after = await cpuMicrosOf(pid);
      const { waiting } = await producer.ask.counts({ queue: "web" });
      if (waiting !== count) throw new Error(`${count} tasks were enqueued over HTTP, but ${waiting} wait`);
      record(bench, {
        connectEnqueue: perSecond(count, span),
        connectCpu: before === undefined || after === undefined ? undefined : (after - before) / count,
      });
    }),
};
