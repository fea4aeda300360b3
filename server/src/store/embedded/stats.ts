import type { QueueStats } from "../store.ts";
import { noCounts } from "./counters.ts";
import type { Queue } from "./queue.ts";

const NO_GAUGES = { scheduled: 0, ready: 0, active: 0, dead: 0 };

/** The numbers of a queue; zeros when there is none. */
export function statsOf(name: string, queue: Queue | undefined): QueueStats {
  const { results: _results, ...counts } = queue?.counters ?? noCounts();
  const gauges = queue?.gauges ?? NO_GAUGES;
  return { queue: name, counters: { ...counts, ...gauges }, enqueuedByType: new Map(queue?.enqueuedByType) };
}
