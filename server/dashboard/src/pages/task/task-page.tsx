/** One task: where it is and why, what it carries, and how each attempt went. */
import { useState } from "preact/hooks";
import type { TaskStatus } from "../../api/messages.ts";
import { hasEnded, toState } from "../../api/states.ts";
import { useFetched } from "../../live/use-fetched.ts";
import { place } from "../../location.ts";
import { StateBadge } from "../../parts/badge.tsx";
import { Content } from "../../parts/content.tsx";
import { CopyButton } from "../../parts/copy.tsx";
import { Loading } from "../../parts/empty.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { queueAt } from "../pages.ts";
import { Attempts } from "./attempts.tsx";
import { Facts, Headers } from "./facts.tsx";
import { NoTask } from "./no-task.tsx";
import { CancelTask, DeleteTask, ReviveTask } from "./task-actions.tsx";

const REFRESH_MS = 1_500;

export function TaskPage() {
  const { query } = place.value;
  const id = query.get("id") ?? "";
  const queue = query.get("queue") ?? "";
  const rpc = { method: "TaskService/GetTask", request: { taskId: id, ...(queue && { queue }) } };
  const [isOver, setOver] = useState("");
  // What has ended stays as it is, until somebody here revives it.
  const { data, error, isOld } = useFetched<{ status?: TaskStatus }>(rpc, isOver === id ? 0 : REFRESH_MS);
  const status = isOld ? undefined : data?.status;
  const state = toState(status?.state);
  const ended = status && (state === "completed" || state === "cancelled") ? id : "";
  if (ended !== isOver && status) setOver(ended);
  return (
    <Page
      title={`Task ${id}`}
      heading={
        <span class="task-heading">
          <span class="id">{id}</span>
          {state && <StateBadge state={state} />}
        </span>
      }
      about={
        status && (
          <>
            {status.task?.type ? `${status.task.type} in ` : "in "}
            <a href={queueAt(status.task?.queue ?? "")}>{status.task?.queue}</a>
          </>
        )
      }
      rpc={rpc}
      actions={
        <>
          <CopyButton text={() => id} label="Copy the id" />
          {status && !hasEnded(state) && <CancelTask status={status} />}
          {status && state === "dead" && (
            <>
              <ReviveTask status={status} />
              <DeleteTask status={status} />
            </>
          )}
        </>
      }
    >
      {!status && !error && <Loading />}
      {error && !isOld && <NoTask id={id} error={error} />}
      {status && <TaskView status={status} />}
    </Page>
  );
}

function TaskView({ status }: { readonly status: TaskStatus }) {
  const { task, lastResult, waitingReason } = status;
  const result = lastResult?.result ?? "";
  return (
    <div class="task">
      {waitingReason && (
        <section class="why">
          <h2>{toState(status.state) === "active" ? "Where is it now?" : "Why is it not running?"}</h2>
          <p>{reasonText(status)}</p>
        </section>
      )}
      <Facts status={status} />
      <Headers headers={task?.headers} />
      <Panel title="Payload" aside={task?.contentType && <span class="muted">{task.contentType}</span>}>
        {task?.payload ? (
          <Content name="payload" base64={task.payload} />
        ) : (
          <p class="muted">
            {task?.type ? "It has none." : "Of a task that has ended in this way only its result is kept."}
          </p>
        )}
      </Panel>
      {result !== "" && (
        <Panel title="Result">
          <Content name="result" base64={result} />
        </Panel>
      )}
      <Attempts status={status} />
    </div>
  );
}

function reasonText({ waitingReason = "" }: TaskStatus): string {
  return waitingReason.charAt(0).toUpperCase() + waitingReason.slice(1);
}
