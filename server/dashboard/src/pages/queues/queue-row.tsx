import type { Queue } from "../../api/messages.ts";
import { failureShare, perSecond } from "../../live/rates.ts";
import { Action } from "../../parts/action.tsx";
import { Paused } from "../../parts/badge.tsx";
import { percent, rate } from "../../parts/format.ts";
import { Since } from "../../parts/time.tsx";
import { failuresAt, queueAt } from "../pages.ts";
import { QueueSize } from "../queue-size.tsx";

export function QueueRow(props: {
  readonly queue: Queue;
  readonly isGone: boolean;
  /** Opens the window that changes its enqueue rate. */
  readonly changeRate: () => void;
}) {
  const { queue, isGone, changeRate } = props;
  const { name, paused, enqueueRate, oldestReadyTime } = queue;
  return (
    <tr class={isGone ? "is-gone" : paused ? "is-paused" : ""}>
      <td>
        <a data-row class="name" href={queueAt(name)}>
          {name}
        </a>{" "}
        {paused && <Paused />}
      </td>
      <QueueSize queue={queue} state="ready" />
      <td class="number">
        <Since at={oldestReadyTime} />
      </td>
      <QueueSize queue={queue} state="scheduled" />
      <QueueSize queue={queue} state="active" />
      <QueueSize queue={queue} state="completed" />
      <QueueSize queue={queue} state="dead" />
      <td class="number">{rate(perSecond("enqueued", name))}</td>
      <td class="number">{rate(perSecond("completed", name))}</td>
      <td class="number">
        <a href={failuresAt(name)}>{percent(failureShare(name))}</a>
      </td>
      <td class="actions">
        <PauseOrResume name={name} isPaused={paused === true} />
        <button type="button" class="button" aria-label={`Enqueue rate of ${name}`} onClick={changeRate}>
          {enqueueRate ? `${enqueueRate.perSecond}/s at most` : "Rate …"}
        </button>
      </td>
    </tr>
  );
}

function PauseOrResume({ name, isPaused }: { readonly name: string; readonly isPaused: boolean }) {
  const request = { queue: name };
  return isPaused ? (
    <Action
      key="resume"
      label="Resume"
      of={name}
      look="primary"
      rpc={{ method: "QueueService/ResumeQueue", request }}
      done={() => `${name} is resumed: its tasks are handed out again`}
    />
  ) : (
    <Action
      key="pause"
      label="Pause"
      of={name}
      rpc={{ method: "QueueService/PauseQueue", request }}
      done={() => `${name} is paused: nothing is handed out from it; what workers hold goes on`}
    />
  );
}
