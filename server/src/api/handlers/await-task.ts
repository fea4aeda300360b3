import type { AwaitTaskRequest, AwaitTaskResponse } from "@taskwire/proto";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { locate, taskNotFound } from "../locate.ts";
import { presentTask } from "../present/task.ts";

export function awaitTask({ store }: Broker): UnaryHandler<AwaitTaskRequest, AwaitTaskResponse> {
  return async ({ taskId, queue }, { signal }) => {
    const located = await locate(store, taskId, queue);
    const snapshot = await store.untilEnded(located.queue, located.key, signal);
    if (!snapshot) throw taskNotFound(taskId);
    return { status: presentTask(snapshot, undefined) };
  };
}
