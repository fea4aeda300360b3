import type { GetTaskRequest, GetTaskResponse, TaskStatus } from "@taskwire/proto";
import type { TaskSnapshot } from "../../store/store.ts";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { locate, taskNotFound } from "../locate.ts";
import { presentTask } from "../present/task.ts";

export function getTask(broker: Broker): UnaryHandler<GetTaskRequest, GetTaskResponse> {
  return async ({ taskId, queue }) => {
    const located = await locate(broker.store, taskId, queue);
    const snapshot = await broker.store.find(located.queue, located.key);
    if (!snapshot) throw taskNotFound(taskId);
    return { status: presentHeld(broker, snapshot) };
  };
}

function presentHeld({ dispatcher }: Broker, snapshot: TaskSnapshot): TaskStatus {
  if (snapshot.state === "active") {
    for (const session of dispatcher.sessions) {
      const task = session.find(snapshot.queue, snapshot.key);
      if (!task) continue;
      const { percent, detail } = task.progress ?? { percent: 0, detail: new Uint8Array() };
      return presentTask(snapshot, { workerId: session.profile.workerId, percent, detail });
    }
  }
  return presentTask(snapshot, undefined);
}
