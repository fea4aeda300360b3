import type { GetTaskRequest, GetTaskResponse } from "@taskwire/proto";
import type { TaskSnapshot } from "../../store/store.ts";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { locate, taskNotFound } from "../locate.ts";
import { type HeldBy, presentTask } from "../present/task.ts";
import { lookAround, whyWaiting } from "../waiting-reason.ts";

export function getTask(broker: Broker): UnaryHandler<GetTaskRequest, GetTaskResponse> {
  return async ({ taskId, queue }) => {
    const located = await locate(broker.store, taskId, queue);
    const snapshot = await broker.store.find(located.queue, located.key);
    if (!snapshot) throw taskNotFound(taskId);
    const held = holderOf(broker, snapshot);
    const waitingReason = whyWaiting(snapshot, await lookAround(broker.store, snapshot, held));
    return { status: { ...presentTask(snapshot, held), waitingReason } };
  };
}

/** The session that holds the task, if it does so through this broker. */
function holderOf({ dispatcher }: Broker, { queue, key, state }: TaskSnapshot): HeldBy | undefined {
  if (state !== "active") return undefined;
  for (const session of dispatcher.sessions) {
    const task = session.find(queue, key);
    if (!task) continue;
    const { percent, detail } = task.progress ?? { percent: 0, detail: new Uint8Array() };
    return { workerId: session.profile.workerId, deliveredAtMs: task.deliveredAtMs, percent, detail };
  }
  return undefined;
}
