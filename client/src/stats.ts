import { status as Code } from "@grpc/grpc-js";
import { Counters, type Stats as ProtoStats, StatsServiceDefinition } from "@taskwire/proto";
import { ClientError } from "nice-grpc";
import { Attempt } from "./attempt.ts";
import type { Brokers } from "./brokers.ts";
import { recover } from "./calls.ts";
import { Patience } from "./patience.ts";
import { toDate, toDuration } from "./wire-time.ts";

/** Which numbers to watch, and for how long. */
export interface WatchStatsOptions {
  /**
   * How often, in ms; from 250 to 3,600,000.
   * @defaultValue 1,000
   */
  readonly intervalMs?: number | undefined;
  /**
   * Ends after this many.
   * @defaultValue never
   */
  readonly limit?: number | undefined;
  /** Ends the iteration when it is aborted, without an error. */
  readonly signal?: AbortSignal | undefined;
}

/** Everything that is counted, over all queues and brokers. */
export interface Stats {
  /** When, by the clock of the store. */
  readonly time: Date | undefined;
  /** Sums over all queues. */
  readonly total: QueueCounters;
  /** The same for each queue. */
  readonly queues: Readonly<Record<string, QueueCounters>>;
  /** How many tasks of each type were enqueued. */
  readonly enqueuedByType: Readonly<Record<string, number>>;
  /** How many workers are connected. */
  readonly workers: number;
  /** How many brokers are alive. */
  readonly brokers: number;
}

/** What happened since the store was new, and what stands now. */
export interface QueueCounters {
  /** Tasks accepted. */
  readonly enqueued: number;
  /** Deliveries to workers. */
  readonly dequeued: number;
  /** Tasks that ended with success. */
  readonly completed: number;
  /** Attempts that failed. */
  readonly failed: number;
  /** Failed attempts that are followed by another. */
  readonly retried: number;
  /** Deliveries lost with their worker. */
  readonly lost: number;
  /** Tasks that died. */
  readonly buried: number;
  /** Tasks that were cancelled, or discarded by their handlers. */
  readonly cancelled: number;
  /** Dead tasks that were revived. */
  readonly revived: number;
  /** Dead tasks that were deleted. */
  readonly deleted: number;
  /** Dead tasks that were dropped, because there were too many or they were too old. */
  readonly dropped: number;
  /** Now waiting for their time. */
  readonly scheduled: number;
  /** Now waiting for a worker. */
  readonly ready: number;
  /** Now with a worker. */
  readonly active: number;
  /** Now dead. */
  readonly dead: number;
}

/** The numbers at once, then at every interval; goes on with another broker when one is lost. */
export async function* watchStats(
  brokers: Brokers,
  { intervalMs, limit = 0, signal }: WatchStatsOptions,
  { deadlineMs, closed }: { readonly deadlineMs: number; readonly closed: AbortSignal },
): AsyncGenerator<Stats, void, void> {
  const patience = new Patience({ deadlineMs: Number.POSITIVE_INFINITY, signal }, closed);
  const interval = intervalMs === undefined ? undefined : toDuration("intervalMs", intervalMs);
  let received = 0;
  let failures = 0;
  let deadlineAt = performance.now() + deadlineMs;
  try {
    for (;;) {
      const attempt = new Attempt(brokers.current(), patience.signal);
      const request = { interval, limit: limit && limit - received };
      const client = attempt.connection.client(StatsServiceDefinition);
      try {
        for await (const { stats } of client.watchStats(request, attempt.options)) {
          if (!stats) continue;
          yield toStats(stats);
          if (++received === limit) return;
          failures = 0;
          deadlineAt = performance.now() + deadlineMs;
        }
        throw new ClientError(
          StatsServiceDefinition.methods.watchStats.name,
          Code.UNAVAILABLE,
          "the broker is stopping",
        );
      } catch (error) {
        if (signal?.aborted) return;
        await recover(error, { brokers, patience, attempt, deadlineAt, failures: ++failures, unanswered: "no answer" });
      } finally {
        attempt.end();
      }
    }
  } finally {
    patience.end();
  }
}

function toStats({ time, total, queues, enqueuedByType, workers, brokers }: ProtoStats): Stats {
  return {
    time: toDate(time),
    total: toCounters(total),
    queues: Object.fromEntries(queues.map(({ name, counters }) => [name, toCounters(counters)])),
    enqueuedByType,
    workers,
    brokers,
  };
}

function toCounters(counters: Counters | undefined): QueueCounters {
  return counters ?? Counters.fromPartial({});
}
