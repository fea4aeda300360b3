import type { GetTaskRequest, GetTaskResponse } from "@taskwire/proto";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { findHolders } from "../held-by.ts";
import { locate, taskNotFound } from "../locate.ts";
import { presentTask } from "../present/task.ts";
import { lookAround, whyWaiting } from "../waiting-reason.ts";

export function getTask(broker: Broker): UnaryHandler<GetTaskRequest, GetTaskResponse> {
  return async ({ taskId, queue }) => {
    const located = await locate(broker.store, taskId, queue);
    const snapshot = await broker.store.find(located.queue, located.key);
    if (!snapshot) throw taskNotFound(taskId);
    const held = findHolders(broker, [snapshot]).get(snapshot);
    const waitingReason = whyWaiting(snapshot, await lookAround(broker.store, snapshot, held));
    return { status: { ...presentTask(snapshot, held), waitingReason } };
  };
}
