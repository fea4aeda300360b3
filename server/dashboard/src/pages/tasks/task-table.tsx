import type { TaskStatus } from "../../api/messages.ts";
import { type State, toState } from "../../api/states.ts";
import { asText, fromBase64 } from "../../parts/bytes.ts";
import { UNKNOWN } from "../../parts/format.ts";
import { Table } from "../../parts/scroll.tsx";
import { Ago } from "../../parts/time.tsx";
import { queueAt, taskAt, workerAt } from "../pages.ts";
import { CancelTask, DeleteTask, ReviveTask } from "../task/task-actions.tsx";
import type { Query } from "./query.ts";
import { keyOf, type ListedTask } from "./use-task-list.ts";

const PREVIEW_LETTERS = 90;

export function TaskTable(props: {
  readonly query: Query;
  readonly rows: readonly ListedTask[];
  readonly isOld: boolean;
}) {
  const { query, rows, isOld } = props;
  const columns = COLUMNS[query.state];
  return (
    <Table label={`Tasks that are ${query.state}`} name="list tasks" isOld={isOld}>
      <thead>
        <tr>
          <th scope="col">Task</th>
          {columns.map(({ name }) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
          <th scope="col">
            <span class="only-aloud">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ status, isGone }) => (
          <tr
            key={keyOf(status)}
            class={isGone ? "is-gone" : ""}
            title={isGone ? `No longer ${query.state}` : undefined}
          >
            <td>
              <a data-row class="id" href={taskAt(status.task?.id ?? "", status.task?.queue)}>
                {status.task?.id}
              </a>
              <span class="task-of">
                {status.task?.type && status.task.type !== status.task.queue ? `${status.task.type} in ` : ""}
                <a href={queueAt(status.task?.queue ?? "")}>{status.task?.queue}</a>
              </span>
            </td>
            {columns.map(({ name, cell }) => (
              <td key={name}>{cell(status)}</td>
            ))}
            <td class="actions">{!isGone && <RowActions status={status} />}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function RowActions({ status }: { readonly status: TaskStatus }) {
  const state = toState(status.state);
  if (state === "dead")
    return (
      <>
        <ReviveTask status={status} isRow />
        <DeleteTask status={status} />
      </>
    );
  return state === "completed" || state === "cancelled" ? null : <CancelTask status={status} />;
}

interface Column {
  readonly name: string;
  readonly cell: (status: TaskStatus) => preact.ComponentChildren;
}

const PRIORITY: Column = { name: "Priority", cell: ({ task }) => task?.priority ?? 0 };
const PAYLOAD: Column = { name: "Payload", cell: ({ task }) => <Preview base64={task?.payload ?? ""} /> };
const ENQUEUED: Column = { name: "Enqueued", cell: ({ task }) => <Ago at={task?.enqueueTime} /> };
const ATTEMPT: Column = {
  name: "Attempt",
  cell: ({ attempt, task }) => `${attempt ?? 1} of ${(task?.maxRetries ?? 3) + 1}`,
};
const ENDED: Column = { name: "Ended", cell: ({ lastResult }) => <Ago at={lastResult?.endTime} /> };
const BY: Column = { name: "Worker", cell: ({ lastResult }) => <WorkerLink id={lastResult?.workerId} /> };
const ERROR: Column = {
  name: "Error",
  cell: ({ lastResult }) => <ErrorLine type={lastResult?.errorType} message={lastResult?.errorMessage} />,
};

const COLUMNS: Readonly<Record<State, readonly Column[]>> = {
  scheduled: [{ name: "Due", cell: ({ runTime }) => <Ago at={runTime} /> }, ATTEMPT, ENQUEUED, PAYLOAD],
  ready: [ENQUEUED, PRIORITY, ATTEMPT, PAYLOAD],
  active: [ENQUEUED, { name: "Worker", cell: ({ workerId }) => <WorkerLink id={workerId} /> }, ATTEMPT, PAYLOAD],
  completed: [ENDED, BY, { name: "Result", cell: ({ lastResult }) => <Preview base64={lastResult?.result ?? ""} /> }],
  dead: [ENDED, ERROR],
  cancelled: [ENDED, { name: "Why", cell: ({ lastResult }) => lastResult?.errorMessage || UNKNOWN }],
};

function WorkerLink({ id }: { readonly id: string | undefined }) {
  return id ? <a href={workerAt(id)}>{id}</a> : <span class="muted">{UNKNOWN}</span>;
}

export function ErrorLine({
  type,
  message,
}: {
  readonly type: string | undefined;
  readonly message: string | undefined;
}) {
  return (
    <span class="error-line" title={message}>
      {type && <b>{type}</b>} {message}
    </span>
  );
}

/** The beginning of a payload. Large ones are not in a list. */
function Preview({ base64 }: { readonly base64: string }) {
  if (base64 === "") return <span class="muted">{UNKNOWN}</span>;
  const data = fromBase64(base64);
  const text = asText(data)?.replace(/\s+/g, " ");
  if (text === undefined) return <span class="muted">{data.length} bytes</span>;
  return <code class="preview">{text.length > PREVIEW_LETTERS ? `${text.slice(0, PREVIEW_LETTERS)}…` : text}</code>;
}
