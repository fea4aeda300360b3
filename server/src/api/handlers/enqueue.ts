import type { EnqueueResponse } from "@taskwire/proto";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { enqueueTasks } from "../enqueue-tasks.ts";
import { parseSingle } from "../parse/batch.ts";
import { presentEnqueued } from "../present/enqueued.ts";

export function enqueue(broker: Broker): UnaryHandler<Buffer, EnqueueResponse> {
  return async (bytes) => {
    const task = parseSingle(bytes, broker.limits.maxPayloadBytes);
    const [stored] = await enqueueTasks(broker, [task]);
    if (!stored) throw new Error("the store gave no answer for a task");
    return presentEnqueued(stored, broker.store.durability);
  };
}
