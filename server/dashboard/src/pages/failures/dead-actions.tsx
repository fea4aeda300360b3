import { count, type DeadTasks } from "../../api/messages.ts";
import { Action } from "../../parts/action.tsx";
import { plural, whole } from "../../parts/format.ts";

/** Revives or deletes a selection of dead tasks. */
export function DeadActions(props: {
  readonly tasks: DeadTasks;
  readonly many: number;
  /** What they are, such as "dead tasks of email". */
  readonly of: string;
  /** Whether they are all that the page shows. */
  readonly isAll?: boolean;
}) {
  const { tasks, many, of, isAll } = props;
  const number = whole(many);
  return (
    <>
      <Action<{ revived?: string }>
        label={isAll ? "Revive all" : "Revive"}
        of={of}
        rpc={{ method: "TaskService/ReviveTasks", request: { tasks } }}
        question={{
          title: `Revive ${number} ${of}?`,
          consequence:
            "They are ready at once, with their retries from the start. Workers begin with them as they have room.",
        }}
        done={({ revived }) => `${plural(count(revived), "task was", "tasks were")} revived`}
      />
      <Action<{ deleted?: string }>
        label={isAll ? "Delete all" : "Delete"}
        of={of}
        look="danger"
        rpc={{ method: "TaskService/DeleteTasks", request: { tasks } }}
        question={{
          title: `Delete ${number} ${of}?`,
          consequence: "They are gone for good, with their payloads. There is no way back.",
        }}
        done={({ deleted }) => `${plural(count(deleted), "task was", "tasks were")} deleted`}
      />
    </>
  );
}
