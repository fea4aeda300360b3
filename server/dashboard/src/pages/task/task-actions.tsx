/** What can be done with one task. */
import { count, type TaskStatus } from "../../api/messages.ts";
import { toState } from "../../api/states.ts";
import { Action } from "../../parts/action.tsx";

interface Props {
  readonly status: TaskStatus;
  /** One of many on the page. */
  readonly isRow?: boolean;
}

export function CancelTask({ status }: Props) {
  const { id = "", queue = "" } = status.task ?? {};
  const isActive = toState(status.state) === "active";
  return (
    <Action<{ wasActive?: boolean }>
      label="Cancel"
      of={id}
      look="danger"
      rpc={{ method: "TaskService/CancelTask", request: { taskId: id, queue, reason: "cancelled in the dashboard" } }}
      question={{
        title: "Cancel 1 task?",
        consequence: isActive
          ? `A worker has ${id}. It is told to stop, and what it reports later does not count.`
          : `${id} is never delivered. There is no way back.`,
      }}
      done={({ wasActive }) => `${id} is cancelled${wasActive ? ": its worker was told to stop" : ""}`}
    />
  );
}

export function ReviveTask({ status, isRow }: Props) {
  const { id = "", queue = "" } = status.task ?? {};
  return (
    <Action<{ revived?: string }>
      label="Revive"
      of={id}
      look={isRow ? "plain" : "primary"}
      rpc={{ method: "TaskService/ReviveTasks", request: { tasks: { taskIds: [id], queue } } }}
      done={({ revived }) =>
        count(revived) > 0 ? `${id} is ready again` : `${id} was no longer dead: nothing was changed`
      }
    />
  );
}

export function DeleteTask({ status }: Props) {
  const { id = "", queue = "" } = status.task ?? {};
  return (
    <Action<{ deleted?: string }>
      label="Delete"
      of={id}
      look="danger"
      rpc={{ method: "TaskService/DeleteTasks", request: { tasks: { taskIds: [id], queue } } }}
      question={{ title: "Delete 1 dead task?", consequence: `${id} is gone for good, with its payload.` }}
      done={({ deleted }) =>
        count(deleted) > 0 ? `${id} is deleted` : `${id} was no longer dead: nothing was changed`
      }
    />
  );
}
