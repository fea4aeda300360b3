import { count, type Queue, type Stats } from "../../api/messages.ts";
import { perSecond } from "../../live/rates.ts";
import { Paused } from "../../parts/badge.tsx";
import { Empty } from "../../parts/empty.tsx";
import { rate, short } from "../../parts/format.ts";
import { Panel } from "../../parts/page.tsx";
import { Table } from "../../parts/scroll.tsx";
import { Since } from "../../parts/time.tsx";
import { queueAt, tasksAt } from "../pages.ts";
import { QueueSize } from "../queue-size.tsx";

const SHOWN = 8;
const NUMBERS = ["Waiting", "Oldest", "Active", "Dead", "In /s", "Done /s"] as const;

/** The queues with the most to do. */
export function BusyQueues({ stats: { queues = [] } }: { readonly stats: Stats }) {
  const ranks = new Map(queues.map((queue) => [queue, rank(queue)]));
  const of = (queue: Queue) => ranks.get(queue) ?? 0;
  const busiest = [...queues].sort((a, b) => of(b) - of(a) || (a.name < b.name ? -1 : 1)).slice(0, SHOWN);
  return (
    <Panel title="Queues" aside={<a href="/ui/queues">{`All ${short(queues.length)}`}</a>} name="busy">
      {busiest.length === 0 ? (
        <Empty title="No queues">A queue is there from its first task on.</Empty>
      ) : (
        <Table label="The queues with the most to do" name="list">
          <thead>
            <tr>
              <th scope="col">Queue</th>
              {NUMBERS.map((name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {busiest.map((queue) => (
              <QueueRow key={queue.name} queue={queue} />
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}

/** A new order each second could not be read: only what is far behind moves up, and what moves at all stands above the rest. */
function rank({ name, counters = {} }: Queue): number {
  const isMoving = count(counters.active) > 0 || (perSecond("dequeued", name) ?? 0) > 0;
  return 2 * Math.floor(Math.log10(1 + count(counters.ready))) + (isMoving ? 1 : 0);
}

function QueueRow({ queue }: { readonly queue: Queue }) {
  const { name, paused, oldestReadyTime } = queue;
  return (
    <tr>
      <td>
        <a data-row href={queueAt(name)}>
          {name}
        </a>{" "}
        {paused && <Paused />}
      </td>
      <QueueSize queue={queue} state="ready" />
      <td class="number">
        <Since at={oldestReadyTime} />
      </td>
      <QueueSize queue={queue} state="active" />
      <QueueSize queue={queue} state="dead" />
      <td class="number">{rate(perSecond("enqueued", name))}</td>
      <td class="number">{rate(perSecond("completed", name))}</td>
    </tr>
  );
}

/** Which types of tasks there are. */
export function TypesPanel({ stats: { enqueuedByType = {} } }: { readonly stats: Stats }) {
  const types = Object.entries(enqueuedByType).sort(([, a], [, b]) => count(b) - count(a));
  if (types.length === 0) return null;
  return (
    <Panel title="Types" aside={<span class="muted">enqueued in all</span>} name="types">
      <ul class="types">
        {types.slice(0, SHOWN).map(([type, many]) => (
          <li key={type}>
            <a href={tasksAt({ type })}>{type}</a>
            <span class="number">{short(count(many))}</span>
          </li>
        ))}
        {types.length > SHOWN && <li class="muted">{types.length - SHOWN} more</li>}
      </ul>
    </Panel>
  );
}
