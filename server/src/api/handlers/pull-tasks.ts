import type { PullTasksRequest } from "@taskwire/proto";
import { LIMITS } from "../../domain/limits.ts";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { Fields } from "../parse/fields.ts";
import { encodePulled } from "../present/deliver.ts";

export function pullTasks({ puller }: Broker): UnaryHandler<PullTasksRequest, Buffer> {
  return async (request, { signal }) => {
    const fields = new Fields();
    const workerId = fields.name("worker_id", request.workerId);
    const queues = [...new Set(request.queues)];
    if (queues.length === 0) fields.wrong("queues", "is empty; name at least one queue");
    fields.count("queues", queues.length, LIMITS.queuesPerSession);
    for (const [i, queue] of queues.entries()) fields.name(`queues[${i}]`, queue);
    const maxTasks = fields.whole("max_tasks", request.maxTasks || 1, { min: 1, max: LIMITS.batchTasks });
    const waitMs = fields.durationMs("wait", request.wait, { min: 0, max: LIMITS.pullWaitMs, fallback: 0 });
    fields.check();
    // Without a wait it still takes one trip to the store.
    const pull = { workerId, queues, maxTasks, maxBytes: LIMITS.pullBytes, waitMs: Math.max(waitMs, 100), signal };
    return encodePulled(await puller.pull(pull));
  };
}
