/** The tasks in one state, by queue and type. The filter is the address. */
import type { CallError } from "../../api/call.ts";
import { stateName, toState } from "../../api/states.ts";
import { place } from "../../location.ts";
import { Empty, Loading, Problem } from "../../parts/empty.tsx";
import { Fresh } from "../../parts/fresh.tsx";
import { Page } from "../../parts/page.tsx";
import { BulkActions } from "./bulk-actions.tsx";
import { Filter } from "./filter.tsx";
import { NoTasks } from "./no-tasks.tsx";
import type { Query } from "./query.ts";
import { TaskTable } from "./task-table.tsx";
import { useTaskList } from "./use-task-list.ts";
import { queuesWith, WhichQueue } from "./which-queue.tsx";

export function Tasks() {
  const { query: address } = place.value;
  const query: Query = {
    state: toState(address.get("state")) ?? "ready",
    queue: address.get("queue") ?? "",
    type: address.get("type") ?? "",
    failure: address.get("failure") ?? "",
  };
  const rpc = { method: "TaskService/ListTasks", request: toRequest(query) };
  const list = useTaskList(rpc);
  const { shown, waiting, error, isOld, more } = list;
  const isEmpty = list.isLoaded && shown.length === 0 && !error;
  return (
    <Page title="Tasks" rpc={rpc} actions={query.state === "dead" && <BulkActions query={query} />}>
      <Filter query={query} />
      <Fresh waiting={waiting} isMore={list.isMoreWaiting} accept={list.accept} />
      {!list.isLoaded && !error && <Loading />}
      {error && (needsQueue(query, error) ? <WhichQueue state={query.state} /> : <Problem error={error} />)}
      {isEmpty && (more ? <Empty title="None among those that were looked at so far" /> : <NoTasks query={query} />)}
      {shown.length > 0 && <TaskTable query={query} rows={shown} isOld={isOld} />}
      {more && (
        <p class="more">
          <button type="button" class="button" disabled={list.isLoadingMore} onClick={more}>
            {list.isLoadingMore ? "Loading …" : "Show more"}
          </button>
        </p>
      )}
    </Page>
  );
}

/** The broker lists tasks of so many queues together. */
const LISTED_TOGETHER = 200;

function needsQueue({ queue, state }: Query, { code }: CallError): boolean {
  return code === "invalid_argument" && queue === "" && queuesWith(state).length > LISTED_TOGETHER;
}

function toRequest({ state, queue, type, failure }: Query) {
  return {
    state: stateName(state),
    ...(queue && { queue }),
    // Of these the type is not kept.
    ...(type && state !== "completed" && state !== "cancelled" && { type }),
    ...(failure && state === "dead" && { failureId: failure }),
  };
}
