/** What it costs to be watched: the rate of end to end, with and without those who look on. */
import { setTimeout as sleep } from "node:timers/promises";
import { perSecond, type Row, record, runEndToEnd, sized, withSystem } from "./row.ts";

/** All visitors have asked for the first time. */
const SETTLE_MS = 500;
/** What grows in the course of the row costs both alike. */
const ORDER = ["alone", "visited", "visited", "alone"] as const;

export const doorsRow: Row = {
  systems: ["redis-everysec", "embedded"],
  measure: (bench) =>
    withSystem(bench, async (system, producer, worker) => {
      const { single, visited: count } = bench.settings.sizes;
      const run = (queue: string, tasks: number) =>
        runEndToEnd(system, producer, worker, { queue, count: tasks, mode: "single" });
      const visitor = await system.startVisitor();
      await run("warm", sized(bench, single / 4));
      const spent = { alone: 0, visited: 0 };
      for (const [i, how] of ORDER.entries()) {
        if (how === "visited") {
          await visitor.ask.watch();
          await sleep(SETTLE_MS);
        }
        const { startedAt, endedAt } = await run(`${how}-${i}`, count);
        spent[how] += endedAt - startedAt;
        if (how === "visited") {
          const { events, answers, scrapes } = await visitor.ask.leave();
          if (events === 0 || answers === 0 || scrapes === 0) throw new Error("the visitors were not served");
        }
      }
      const rate = (ms: number) => perSecond(2 * count, { startedAt: 0, endedAt: ms });
      record(bench, {
        doorsAlone: rate(spent.alone),
        doorsVisited: rate(spent.visited),
        doorsShare: (100 * spent.alone) / spent.visited,
      });
    }),
};
