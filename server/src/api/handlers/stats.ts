import type {
  Counters,
  GetHistoryRequest,
  GetHistoryResponse,
  GetStatsRequest,
  GetStatsResponse,
  Queue,
  Stats,
  WatchStatsRequest,
  WatchStatsResponse,
  Moment as WireMoment,
} from "@taskwire/proto";
import { LIMITS } from "../../domain/limits.ts";
import type { Moment } from "../../stats/history.ts";
import type { Snapshot } from "../../stats/live.ts";
import type { QueueCounters, QueueStats } from "../../store/store.ts";
import type { Broker } from "../broker.ts";
import type { ServerStreamHandler, UnaryHandler } from "../call.ts";
import { Fields } from "../parse/fields.ts";
import { presentPercentiles } from "../present/percentiles.ts";
import { toTimestamp } from "../present/task.ts";

export function getStats({ stats }: Broker): UnaryHandler<GetStatsRequest, GetStatsResponse> {
  return async () => ({ stats: presentStats(await stats.snapshot()) });
}

export function watchStats({ stats }: Broker): ServerStreamHandler<WatchStatsRequest, WatchStatsResponse> {
  return async function* (request, { signal }) {
    const fields = new Fields();
    const { min, max, default: fallback } = LIMITS.statsIntervalMs;
    const intervalMs = fields.durationMs("interval", request.interval, { min, max, fallback });
    fields.check();
    for (let sent = 1; !signal.aborted; sent++) {
      yield { stats: presentStats(await stats.snapshot()) };
      if (sent === request.limit) return;
      await pause(intervalMs, signal);
    }
  };
}

export function getHistory({ history }: Broker): UnaryHandler<GetHistoryRequest, GetHistoryResponse> {
  return async () => ({ moments: (await history.moments()).map(presentMoment) });
}

function presentStats({ timeMs, total, queues, enqueuedByType, workers, brokers, wait, run, store }: Snapshot): Stats {
  return {
    time: toTimestamp(timeMs),
    total: presentCounters(total),
    queues: queues.map(presentQueue),
    enqueuedByType: Object.fromEntries(enqueuedByType),
    workers,
    brokers,
    wait: presentPercentiles(wait),
    run: presentPercentiles(run),
    store: { description: store.description, durability: store.durability, bytes: store.usedBytes },
  };
}

function presentMoment({ timeMs, total, wait, run }: Moment): WireMoment {
  return {
    time: toTimestamp(timeMs),
    total: presentCounters(total),
    wait: presentPercentiles(wait),
    run: presentPercentiles(run),
  };
}

export function presentQueue({ queue, counters, policy, oldestReadyAtMs }: QueueStats): Queue {
  return {
    name: queue,
    counters: presentCounters(counters),
    paused: policy.paused,
    enqueueRate: policy.enqueueRate && { ...policy.enqueueRate },
    oldestReadyTime: oldestReadyAtMs === undefined ? undefined : toTimestamp(oldestReadyAtMs),
  };
}

function presentCounters(counters: QueueCounters): Counters {
  return { ...counters };
}

/** Resolves after `ms`, or when the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
