/** Numbers of one queue, from its hash of counts. Only what a life of a task needs is counted; the rest follows from it. */
import type { QueueStats } from "../store.ts";
import type { Reply } from "./connection.ts";
import { readRate } from "./rate.ts";

const TYPE = "type:";

/** @param reply what stats.lua returns */
export function readStats(queue: string, reply: Reply): QueueStats {
  const [scheduled, dead, oldest, ...pairs] = Array.isArray(reply) ? reply : [];
  const counts = new Map<string, number>();
  let paused = false;
  let rate = "";
  const enqueuedByType = new Map<string, number>();
  let enqueued = 0;
  for (let at = 0; at < pairs.length; at += 2) {
    const name = String(pairs[at]);
    const value = String(pairs[at + 1]);
    if (name === "paused") paused = true;
    if (name === "rate") rate = value;
    const n = Number(value);
    if (!name.startsWith(TYPE)) {
      counts.set(name, n);
      continue;
    }
    enqueuedByType.set(name.slice(TYPE.length), n);
    enqueued += n;
  }
  const of = (name: string) => counts.get(name) ?? 0;
  // Late acks complete a task that was ready again, not active; most cancelled ones waited.
  const left = of("completed") - of("late") + of("failed") + of("snoozed") + of("returned") + of("revoked");
  const counters = {
    enqueued,
    dequeued: of("dequeued"),
    completed: of("completed"),
    failed: of("failed"),
    retried: of("retried"),
    lost: of("lost"),
    buried: of("buried"),
    cancelled: of("cancelled") + of("discarded"),
    revived: of("revived"),
    deleted: of("deleted"),
    dropped: of("dropped"),
    scheduled: Number(scheduled ?? 0),
    ready: of("ready"),
    active: of("dequeued") - left,
    dead: Number(dead ?? 0),
  };
  const since = String(oldest ?? "");
  return {
    queue,
    counters,
    policy: { paused, enqueueRate: readRate(rate) },
    oldestReadyAtMs: since === "" ? undefined : Number(since),
    enqueuedByType,
  };
}
