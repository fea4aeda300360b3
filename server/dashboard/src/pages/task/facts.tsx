import type { ComponentChildren } from "preact";
import { ms, type RetryPolicy, type Task, type TaskStatus } from "../../api/messages.ts";
import { toState } from "../../api/states.ts";
import { plural, span } from "../../parts/format.ts";
import { Meter } from "../../parts/meter.tsx";
import { Panel } from "../../parts/page.tsx";
import { Ago } from "../../parts/time.tsx";
import { workerAt } from "../pages.ts";

const DEFAULT_RETRIES = 3;

/** What is known of a task beside its content. */
export function Facts({ status }: { readonly status: TaskStatus }) {
  const { task, attempt = 1, lostCount = 0, runTime, workerId, progressPercent = 0 } = status;
  const state = toState(status.state);
  const isKept = Boolean(task?.type);
  const retries = task?.maxRetries ?? DEFAULT_RETRIES;
  return (
    <dl class="facts wide">
      <Fact name="Attempt">{isKept ? `${attempt} of at most ${retries + 1}` : attempt}</Fact>
      <Fact name="Enqueued">
        <Ago at={task?.enqueueTime} />
      </Fact>
      {state === "scheduled" && (
        <Fact name="Due">
          <Ago at={runTime} />
        </Fact>
      )}
      {workerId && (
        <Fact name="Worker">
          <a href={workerAt(workerId)}>{workerId}</a>
        </Fact>
      )}
      {state === "active" && progressPercent > 0 && (
        <Fact name="Progress">
          <Meter used={progressPercent} of={100} label={`${progressPercent} %`} /> {Math.round(progressPercent)} %
        </Fact>
      )}
      {isKept && <Fact name="Priority">{task?.priority ?? 0}</Fact>}
      {isKept && <Fact name="Timeout">{span(ms(task?.timeout) ?? 30_000)}</Fact>}
      {isKept && <Fact name="Retries">{retries === 0 ? "none" : `${retries}, ${policy(task?.retry)}`}</Fact>}
      {lostCount > 0 && <Fact name="Lost">{plural(lostCount, "delivery", "deliveries")} with the worker</Fact>}
    </dl>
  );
}

/** Names and values may be long: a line for each. */
export function Headers({ headers = {} }: { readonly headers: Task["headers"] | undefined }) {
  const all = Object.entries(headers);
  if (all.length === 0) return null;
  return (
    <Panel title="Headers">
      <dl class="facts headers">
        {all.map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      </dl>
    </Panel>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const FORMULAS: Readonly<Record<string, string>> = {
  BACKOFF_EXPONENTIAL: "2ⁿ⁻¹ × ",
  BACKOFF_LINEAR: "n × ",
  BACKOFF_FIXED: "",
};

/** How long it waits before retry n. */
function policy(retry: RetryPolicy | undefined): string {
  if (retry?.delays?.length) return `after ${retry.delays.map((delay) => span(ms(delay))).join(", ")}`;
  const base = span(ms(retry?.base) || 1_000);
  return `after ${FORMULAS[retry?.backoff ?? ""] ?? "n² × "}${base}`;
}
