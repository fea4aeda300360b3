import { TaskwireError } from "../../domain/errors.ts";

/** What a queue with a limited rate says. @param kind why, as enqueue.lua says it */
export function notAdmitted(queue: string, kind: "refused" | "above", retryAfterMs: number): TaskwireError {
  if (kind === "above") return new TaskwireError("BATCH_ABOVE_BURST", `the batch is larger than the burst of ${queue}`);
  const message = `rate limit exceeded: ${queue} takes no more tasks for ${retryAfterMs} ms`;
  return new TaskwireError("RATE_LIMITED", message, { retryAfterMs });
}
