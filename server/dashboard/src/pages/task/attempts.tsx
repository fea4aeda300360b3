import { type Attempt, ms, type TaskStatus } from "../../api/messages.ts";
import { Code } from "../../parts/code.tsx";
import { CopyButton } from "../../parts/copy.tsx";
import { span } from "../../parts/format.ts";
import { Panel } from "../../parts/page.tsx";
import { Ago } from "../../parts/time.tsx";
import { workerAt } from "../pages.ts";

const OUTCOMES: Readonly<Record<string, { readonly text: string; readonly look: string }>> = {
  OUTCOME_COMPLETED: { text: "completed", look: "completed" },
  OUTCOME_FAILED: { text: "failed", look: "dead" },
  OUTCOME_LOST: { text: "lost with its worker", look: "scheduled" },
  OUTCOME_CANCELLED: { text: "cancelled", look: "cancelled" },
};

/** Newest first, with the stack open. */
export function Attempts({ status }: { readonly status: TaskStatus }) {
  const attempts = attemptsOf(status);
  return (
    <Panel title="Attempts" aside={<span class="muted">newest first</span>} name="attempts">
      {attempts.length === 0 && <p class="muted">None has ended yet.</p>}
      <ol>
        {attempts.map((attempt, i) => (
          <AttemptView key={`${attempt.attempt}/${attempt.endTime}/${i - attempts.length}`} attempt={attempt} />
        ))}
      </ol>
    </Panel>
  );
}

/** Of an old task only the last result may be known. */
function attemptsOf({ attempts = [], attempt = 1, lastResult }: TaskStatus): readonly Attempt[] {
  if (attempts.length > 0 || !lastResult) return attempts;
  const { success, errorType = "", errorMessage = "", duration, workerId = "", endTime } = lastResult;
  const outcome = success ? "OUTCOME_COMPLETED" : "OUTCOME_FAILED";
  const times = { ...(duration && { duration }), ...(endTime && { endTime }) };
  return [{ attempt, outcome, workerId, errorType, errorMessage, ...times }];
}

function AttemptView({ attempt: one }: { readonly attempt: Attempt }) {
  const { attempt, outcome = "", workerId, wait, duration, endTime, errorType, errorMessage, errorStack } = one;
  const { text, look } = OUTCOMES[outcome] ?? { text: "unknown", look: "unknown" };
  return (
    <li class="attempt">
      <header>
        <b class="attempt-number">#{attempt}</b>
        <span class={`badge state-${look}`}>{text}</span>
        <span class="attempt-meta">
          <Ago at={endTime} />
          {workerId && (
            <>
              {" on "}
              <a href={workerAt(workerId)}>{workerId}</a>
            </>
          )}
          {` · waited ${span(ms(wait))} · ran ${span(ms(duration))}`}
        </span>
      </header>
      {(errorType || errorMessage) && (
        <p class="attempt-error">
          {errorType && <b>{errorType}</b>} {errorMessage}
        </p>
      )}
      {errorStack && (
        <details open>
          <summary>Stack</summary>
          <div class="stack">
            <Code label={`Stack of attempt ${attempt}`}>{errorStack}</Code>
            <CopyButton text={() => errorStack} label={`Copy the stack of attempt ${attempt}`} />
          </div>
        </details>
      )}
    </li>
  );
}
