/** A task that was completed, discarded or cancelled, as its result tells of it. */
import { attemptOf, keepAttempt } from "./attempts.ts";
import type { FoundResult } from "./records.ts";
import type { TaskSnapshot } from "./store.ts";

/**
 * @param enqueuedAtMs 0 when its key does not tell
 * @param hadBegun false when it was cancelled while it waited: then its end is no attempt
 */
export function endedSnapshot(
  { queue, key, enqueuedAtMs }: Pick<TaskSnapshot, "queue" | "key" | "enqueuedAtMs">,
  found: FoundResult,
  hadBegun: boolean,
): TaskSnapshot {
  const { success, result, failure, durationMs, workerId, endedAtMs, attempt, lostCount, earlier } = found;
  const lastResult = { success, result, failure, durationMs, workerId, endedAtMs };
  return {
    queue,
    key,
    state: success ? "completed" : "cancelled",
    body: undefined,
    attempt,
    lostCount,
    enqueuedAtMs,
    runAtMs: 0,
    lastResult,
    attempts: hadBegun ? keepAttempt(attemptOf({ attempt, enqueuedAtMs, runAtMs: 0 }, lastResult), earlier) : earlier,
  };
}
