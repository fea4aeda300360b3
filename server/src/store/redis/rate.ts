/** The limit of a queue's rate as it stands in its counts, and what a call is told that it does not admit. */
import { TaskwireError } from "../../domain/errors.ts";
import type { EnqueueRate } from "../store.ts";

/** @param text "" when there is no limit */
export function readRate(text: string): EnqueueRate | undefined {
  const [perSecond, burst] = text.split(":").map(Number);
  return perSecond === undefined || burst === undefined ? undefined : { perSecond, burst };
}

/** @param kind why, as enqueue.lua says it */
export function notAdmitted(queue: string, kind: "refused" | "above", retryAfterMs: number): TaskwireError {
  if (kind === "above") return new TaskwireError("BATCH_ABOVE_BURST", `the batch is larger than the burst of ${queue}`);
  const message = `rate limit exceeded: ${queue} takes no more tasks for ${retryAfterMs} ms`;
  return new TaskwireError("RATE_LIMITED", message, { retryAfterMs });
}
