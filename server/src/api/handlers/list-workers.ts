import type { ListWorkersRequest, ListWorkersResponse, Worker } from "@taskwire/proto";
import { taskId } from "../../domain/ids.ts";
import type { WorkerRecord } from "../../store/store.ts";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { toTimestamp } from "../present/task.ts";

export function listWorkers({ store }: Broker): UnaryHandler<ListWorkersRequest, ListWorkersResponse> {
  return async () => {
    const workers = [...(await store.workers())];
    workers.sort((a, b) => (a.workerId < b.workerId ? -1 : 1));
    return { workers: workers.map(present) };
  };
}

function present(worker: WorkerRecord): Worker {
  const {
    workerId,
    brokerId,
    host,
    sdk,
    labels,
    queues,
    concurrency,
    inFlight,
    startedAtMs,
    lastSeenAtMs,
    status,
    holding,
  } = worker;
  return {
    id: workerId,
    host,
    sdk,
    labels: { ...labels },
    queues: queues.map(({ queue, types }) => ({ queue, types: [...types] })),
    concurrency,
    inFlight,
    startTime: toTimestamp(startedAtMs),
    lastSeenTime: toTimestamp(lastSeenAtMs),
    status: status === "active" ? 1 : 2,
    brokerId,
    holding: holding.map(({ queue, key, deliveredAtMs }) => ({
      taskId: taskId(queue, key),
      queue,
      deliveryTime: toTimestamp(deliveredAtMs),
    })),
  };
}
