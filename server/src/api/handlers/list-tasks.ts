import type { ListTasksRequest, ListTasksResponse } from "@taskwire/proto";
import { LIMITS } from "../../domain/limits.ts";
import type { TaskState } from "../../domain/state.ts";
import type { Broker } from "../broker.ts";
import type { UnaryHandler } from "../call.ts";
import { findHolders } from "../held-by.ts";
import { mergeLists } from "../merge-lists.ts";
import { decodePageToken, encodePageToken, type QueuePositions } from "../page-token.ts";
import { Fields } from "../parse/fields.ts";
import { presentListed, STATE } from "../present/task.ts";

/** More queues than this are not listed together: the token names each of them. */
const MAX_QUEUES = 200;

export function listTasks(broker: Broker): UnaryHandler<ListTasksRequest, ListTasksResponse> {
  return async (request) => {
    const { queue, type, failureId, pageSize, pageToken } = request;
    const fields = new Fields();
    const state = parseState(request, fields);
    const { max, default: fallback } = LIMITS.tasksPerPage;
    const limit = pageSize === 0 ? fallback : fields.whole("page_size", pageSize, { min: 1, max });
    const query = [state, queue, type, failureId];
    const decoded = pageToken === "" ? undefined : decodePageToken(query, pageToken);
    if (typeof decoded === "string") fields.wrong("page_token", decoded);
    fields.check();
    const positions = typeof decoded === "object" ? decoded : await startOf(broker, state, queue);
    const filter = { type: type || undefined, failureGroup: failureId || undefined };
    const { tasks, rest } = await mergeLists(broker.store, { state, ...filter, limit }, positions);
    const holders = findHolders(
      broker,
      tasks.map(({ task }) => task),
    );
    return {
      tasks: tasks.map(({ task }) => presentListed(task, holders.get(task))),
      nextPageToken: rest.size > 0 ? encodePageToken(query, rest) : "",
    };
  };
}

function parseState({ state, queue, type, failureId }: ListTasksRequest, fields: Fields): TaskState {
  const name = (Object.keys(STATE) as TaskState[]).find((known) => STATE[known] === state) ?? "ready";
  if (STATE[name] !== state)
    fields.wrong("state", `is ${state}; must be one of ${Object.keys(STATE).map(stateText).join(", ")}`);
  if (queue !== "") fields.name("queue", queue);
  if (type !== "") fields.type("type", type);
  if (type !== "" && (name === "completed" || name === "cancelled"))
    fields.wrong("type", `is not kept of tasks that are ${stateText(name)}: list them by queue`);
  if (failureId !== "" && name !== "dead") fields.wrong("failure_id", "is for tasks that are TASK_STATE_DEAD");
  if (failureId !== "" && queue === "") fields.wrong("queue", "is needed with failure_id: a group is of one queue");
  return name;
}

function stateText(state: string): string {
  return `TASK_STATE_${state.toUpperCase()}`;
}

/** The queues that have such tasks, each from its start. */
async function startOf({ stats }: Broker, state: TaskState, queue: string): Promise<QueuePositions> {
  if (queue !== "") return new Map([[queue, undefined]]);
  const some = await stats.queuesWith(state);
  const fields = new Fields();
  if (some.length > MAX_QUEUES)
    fields.wrong(
      "queue",
      `is needed: ${some.length} queues have such tasks, and at most ${MAX_QUEUES} are listed together`,
    );
  fields.check();
  return new Map(some.map((name) => [name, undefined]));
}
