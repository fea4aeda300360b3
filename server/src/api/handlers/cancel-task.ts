import type { CancelTaskRequest, CancelTaskResponse } from "@taskwire/proto";
import { TaskwireError } from "../../domain/errors.ts";
import { LIMITS } from "../../domain/limits.ts";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { locate, taskNotFound } from "../locate.ts";
import { Fields } from "../parse/fields.ts";

const NO_REASON = "cancelled by request";

export function cancelTask({ store }: Broker): UnaryHandler<CancelTaskRequest, CancelTaskResponse> {
  return async ({ taskId, queue, reason }) => {
    const fields = new Fields();
    fields.length("reason", reason, LIMITS.cancelReasonLength);
    fields.check();
    const located = await locate(store, taskId, queue);
    // The store tells the broker that holds it, be it this one or another.
    const cancelled = await store.cancel(located.queue, located.key, reason || NO_REASON);
    if (cancelled.kind === "missing") throw taskNotFound(taskId);
    if (cancelled.kind === "ended" && cancelled.state !== "cancelled")
      throw new TaskwireError(
        "TASK_ENDED",
        `task ${JSON.stringify(taskId)} is ${cancelled.state}: nothing was changed`,
        {
          metadata: { task: taskId, state: cancelled.state },
        },
      );
    return { wasActive: cancelled.kind === "cancelled" && cancelled.lease !== undefined };
  };
}
