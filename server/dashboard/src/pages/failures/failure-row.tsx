import { count, type FailureGroup } from "../../api/messages.ts";
import { short } from "../../parts/format.ts";
import { Ago } from "../../parts/time.tsx";
import { queueAt, taskAt, tasksAt } from "../pages.ts";
import { DeadActions } from "./dead-actions.tsx";

export function FailureRow({ group, isGone }: { readonly group: FailureGroup; readonly isGone: boolean }) {
  const { id, queue, errorType, message, firstTime, lastTime, sampleTaskId = "" } = group;
  const many = count(group.count);
  const list = tasksAt({ state: "dead", queue, failure: id });
  return (
    <li class={`failure ${isGone ? "is-gone" : ""}`}>
      <a class="failure-count" href={list} aria-label={`${many} dead tasks: show them`}>
        {short(isGone ? 0 : many)}
      </a>
      <div class="failure-what">
        <a data-row class="failure-message" href={list}>
          <b>{errorType || "Error"}</b> {message || "without a message"}
        </a>
        <p class="failure-meta">
          in <a href={queueAt(queue)}>{queue}</a> · last <Ago at={lastTime} /> · first <Ago at={firstTime} /> ·{" "}
          <a href={taskAt(sampleTaskId, queue)}>a sample, with its stack</a>
        </p>
      </div>
      <div class="actions">
        {!isGone && (
          <DeadActions
            tasks={{ queue, failureId: id }}
            many={many}
            of={many === 1 ? "dead task of this group" : "dead tasks of this group"}
          />
        )}
      </div>
    </li>
  );
}
