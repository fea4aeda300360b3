import { useState } from "preact/hooks";
import type { Worker } from "../../api/messages.ts";
import { plural } from "../../parts/format.ts";
import { Meter } from "../../parts/meter.tsx";
import { Ago, Since } from "../../parts/time.tsx";
import { queueAt, taskAt, tasksAt, workerAt } from "../pages.ts";

/** More are shown when one asks for them. */
const SHOWN_QUEUES = 6;

export function WorkerCard({ worker, isGone }: { readonly worker: Worker; readonly isGone: boolean }) {
  const { id, host, sdk, labels = {}, queues = [], concurrency = 0, inFlight = 0, status } = worker;
  const isStopping = status === "STATUS_STOPPING";
  const state = isGone ? "gone" : isStopping ? "stopping" : "active";
  return (
    <li class={`worker panel ${isGone ? "is-gone" : ""}`}>
      <header class="worker-head">
        <a data-row class="name" href={workerAt(id)}>
          {id}
        </a>
        <span class={`badge worker-${state}`}>
          {isGone ? "not connected" : isStopping ? "finishes what it has" : "takes tasks"}
        </span>
      </header>
      <p class="worker-meta">
        {host || "unknown host"} · {sdk || "unknown SDK"} · up <Since at={worker.startTime} /> · heard{" "}
        <Ago at={worker.lastSeenTime} />
      </p>
      <div class="worker-slots">
        <Meter used={inFlight} of={concurrency} label={`${inFlight} of ${concurrency} slots in use`} />
        <span>
          <b>{inFlight}</b> of {concurrency || "?"} slots
        </span>
      </div>
      <Subscriptions queues={queues} />
      <Holding worker={worker} />
      {Object.keys(labels).length > 0 && (
        <ul class="labels" aria-label="Labels">
          {Object.entries(labels).map(([name, value]) => (
            <li key={name}>
              {name}={value}
            </li>
          ))}
        </ul>
      )}
      <p class="worker-meta muted">broker {worker.brokerId}</p>
    </li>
  );
}

function Subscriptions({ queues }: { readonly queues: NonNullable<Worker["queues"]> }) {
  const [isWhole, setWhole] = useState(false);
  const common = commonTypes(queues);
  const shown = isWhole ? queues : queues.slice(0, SHOWN_QUEUES);
  return (
    <ul class="subscriptions" aria-label="Queues">
      {shown.map(({ queue, types = [] }) => (
        <li key={queue}>
          <a href={queueAt(queue)}>{queue}</a>
          <span class="muted">{common ? "" : typesText(queue, types)}</span>
        </li>
      ))}
      {shown.length < queues.length && (
        <li>
          <button type="button" class="button quiet" onClick={() => setWhole(true)}>
            {plural(queues.length - shown.length, "more queue")}
          </button>
        </li>
      )}
      {common && <li class="muted">of each: {common.join(", ")}</li>}
    </ul>
  );
}

/** A worker of several types mostly takes all of them from each of its queues: then they are said once. */
function commonTypes(queues: NonNullable<Worker["queues"]>): readonly string[] | undefined {
  const [first, ...others] = queues.map(({ types = [] }) => types);
  if (!first || first.length < 2 || others.length === 0) return undefined;
  return others.every((types) => types.join() === first.join()) ? first : undefined;
}

/** Mostly there is one type, of the name of its queue: then there is nothing to say. */
function typesText(queue: string, types: readonly string[]): string {
  if (types.length === 0) return "any type";
  return types.length === 1 && types[0] === queue ? "" : types.join(", ");
}

function Holding({ worker: { holding = [], inFlight = 0 } }: { readonly worker: Worker }) {
  const more = inFlight - holding.length;
  return (
    <ul class="holding" aria-label="Holds">
      {holding.length === 0 && <li class="muted">Holds nothing.</li>}
      {holding.map(({ taskId, queue, deliveryTime }) => (
        <li key={`${queue}/${taskId}`}>
          <a class="id" href={taskAt(taskId, queue)}>
            {taskId}
          </a>
          <span class="muted">
            for <Since at={deliveryTime} />
          </span>
        </li>
      ))}
      {more > 0 && (
        <li>
          <a href={tasksAt({ state: "active" })}>{more} more</a>
        </li>
      )}
    </ul>
  );
}
