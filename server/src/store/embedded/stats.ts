import type { QueueStats } from "../store.ts";
import { type Counters, noCounts } from "./counters.ts";
import { oldestReadyAtMs } from "./oldest-ready.ts";
import type { Queue } from "./queue.ts";
import { NOT_STEERED } from "./steering.ts";

/** The numbers of a queue; zeros when there is none. */
export function statsOf(name: string, queue: Queue | undefined): QueueStats {
  if (!queue) {
    const counters = { ...countsOf(noCounts()), scheduled: 0, ready: 0, active: 0, dead: 0 };
    const { policy } = NOT_STEERED;
    return { queue: name, counters, policy, oldestReadyAtMs: undefined, enqueuedByType: new Map() };
  }
  return {
    queue: name,
    counters: { ...countsOf(queue.counters), ...queue.gauges, dead: queue.dead.size },
    policy: queue.steering.policy,
    oldestReadyAtMs: oldestReadyAtMs(queue),
    enqueuedByType: new Map(queue.enqueuedByType),
  };
}

function countsOf({ results: _results, ...counts }: Counters) {
  return counts;
}
