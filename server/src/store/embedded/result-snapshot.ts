import { parseBlockKey } from "../../domain/ids.ts";
import { attemptOf, keepAttempt } from "../attempts.ts";
import type { FoundResult } from "../records.ts";
import type { TaskSnapshot } from "../store.ts";
import type { Queue } from "./queue.ts";

/** A task that was completed, discarded or cancelled, as its result tells of it. */
export function resultSnapshot(queue: Queue, key: string, found: FoundResult): TaskSnapshot {
  const { success, result, failure, durationMs, workerId, endedAtMs, attempt, lostCount, earlier } = found;
  const enqueuedAtMs = parseBlockKey(key)?.timeMs ?? 0;
  const lastResult = { success, result, failure, durationMs, workerId, endedAtMs };
  const attempts = wasLeased(found)
    ? keepAttempt(attemptOf({ attempt, enqueuedAtMs, runAtMs: 0 }, lastResult), earlier)
    : earlier;
  return {
    queue: queue.name,
    key,
    state: success ? "completed" : "cancelled",
    body: undefined,
    attempt,
    lostCount,
    enqueuedAtMs,
    runAtMs: 0,
    lastResult,
    attempts,
  };
}

/** Leases are counted from 1. A task that was cancelled while it waited was under none. */
function wasLeased({ sequence }: FoundResult): boolean {
  return sequence > 0;
}
