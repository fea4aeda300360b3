import type {
  DeleteTasksRequest,
  DeleteTasksResponse,
  ListFailuresRequest,
  ListFailuresResponse,
  ReviveTasksRequest,
  ReviveTasksResponse,
} from "@taskwire/proto";
import { taskId } from "../../domain/ids.ts";
import { LIMITS } from "../../domain/limits.ts";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { moveDead } from "../dead-tasks.ts";
import { Fields } from "../parse/fields.ts";
import { toTimestamp } from "../present/task.ts";

export function reviveTasks({ store }: Broker): UnaryHandler<ReviveTasksRequest, ReviveTasksResponse> {
  return async ({ tasks }, { signal }) => ({
    revived: await moveDead(store, tasks, (queue, keys) => store.revive(queue, keys), signal),
  });
}

export function deleteTasks({ store }: Broker): UnaryHandler<DeleteTasksRequest, DeleteTasksResponse> {
  return async ({ tasks }, { signal }) => ({
    deleted: await moveDead(store, tasks, (queue, keys) => store.deleteDead(queue, keys), signal),
  });
}

export function listFailures({ store, stats }: Broker): UnaryHandler<ListFailuresRequest, ListFailuresResponse> {
  return async ({ queue }) => {
    const fields = new Fields();
    if (queue !== "") fields.name("queue", queue);
    fields.check();
    const names = queue === "" ? await stats.queuesWith("dead") : [queue];
    const found = await Promise.all(
      names.map(async (name) => (await store.failureGroups(name)).map((group) => ({ ...group, queue: name }))),
    );
    const latestFirst = found.flat().sort((a, b) => b.lastAtMs - a.lastAtMs);
    const groups = latestFirst.slice(0, LIMITS.failureGroups).map(({ firstAtMs, lastAtMs, sampleKey, ...group }) => ({
      ...group,
      firstTime: toTimestamp(firstAtMs),
      lastTime: toTimestamp(lastAtMs),
      sampleTaskId: taskId(group.queue, sampleKey),
    }));
    return { groups };
  };
}
