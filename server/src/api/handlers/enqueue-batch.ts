import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { enqueueTasks } from "../enqueue-tasks.ts";
import { parseBatch } from "../parse/batch.ts";
import { encodeBatchResponse } from "../present/enqueued.ts";

export function enqueueBatch(broker: Broker): UnaryHandler<Buffer, Buffer> {
  return async (bytes) => {
    const tasks = parseBatch(bytes, broker.limits.maxPayloadBytes);
    return encodeBatchResponse(await enqueueTasks(broker, tasks), broker.store.durability);
  };
}
