/** The queues: what stands in each, how fast it moves, and how to steer it. */
import { useState } from "preact/hooks";
import { grpcurl } from "../../api/grpcurl.ts";
import { count, type Queue } from "../../api/messages.ts";
import { link, stats } from "../../live/link.ts";
import { useSteady } from "../../live/use-steady.ts";
import { href, place } from "../../location.ts";
import { Empty, Loading } from "../../parts/empty.tsx";
import { plural } from "../../parts/format.ts";
import { Fresh } from "../../parts/fresh.tsx";
import { Page } from "../../parts/page.tsx";
import { Table } from "../../parts/scroll.tsx";
import { failuresAt } from "../pages.ts";
import { QueueRow } from "./queue-row.tsx";
import { RateDialog } from "./rate-dialog.tsx";

export function Queues() {
  const named = place.value.query.get("queue") ?? "";
  const queues = stats.value?.queues?.filter(({ name }) => named === "" || name === named);
  const { shown, waiting, accept } = useSteady<Queue>(queues, ({ name }) => name, named);
  // By name: the window shows the queue as it is, not as it was.
  const [limited, limit] = useState("");
  const toLimit = stats.value?.queues?.find(({ name }) => name === limited);
  const paused = (queues ?? []).filter((queue) => queue.paused).length;
  const rpc = named
    ? { method: "QueueService/GetQueue", request: { queue: named } }
    : { method: "QueueService/ListQueues", request: {} };
  return (
    <Page
      title={named ? `Queue ${named}` : "Queues"}
      rpc={rpc}
      about={
        named ? (
          <>
            <a href="/ui/queues">All queues</a> · <a href={failuresAt(named)}>its failures</a> ·{" "}
            <a href={href("/ui/workers", { queue: named })}>its workers</a>
          </>
        ) : (
          queues && `${plural(queues.length, "queue")}${paused > 0 ? `, ${paused} paused` : ""}`
        )
      }
    >
      {!queues && link.value.kind !== "away" && <Loading />}
      {queues?.length === 0 && <NoQueues named={named} />}
      <Fresh waiting={waiting} accept={accept} />
      {shown.length > 0 && (
        <Table label="Queues" name="list queues">
          <thead>
            <tr>
              <th scope="col">Queue</th>
              <th scope="col" class="number">
                Waiting
              </th>
              <th scope="col" class="number">
                Oldest
              </th>
              <th scope="col" class="number">
                Scheduled
              </th>
              <th scope="col" class="number">
                Active
              </th>
              <th scope="col" class="number">
                Completed
              </th>
              <th scope="col" class="number">
                Dead
              </th>
              <th scope="col" class="number">
                In /s
              </th>
              <th scope="col" class="number">
                Done /s
              </th>
              <th scope="col" class="number">
                Failing
              </th>
              <th scope="col" class="actions">
                Steer
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ item, isGone }) => (
              <QueueRow key={item.name} queue={item} isGone={isGone} changeRate={() => limit(item.name)} />
            ))}
          </tbody>
        </Table>
      )}
      {named && queues?.[0] && <Life queue={queues[0]} />}
      {toLimit && <RateDialog queue={limited} rate={toLimit.enqueueRate} onClose={() => limit("")} />}
    </Page>
  );
}

function NoQueues({ named }: { readonly named: string }) {
  const enqueue = grpcurl({
    method: "TaskService/Enqueue",
    request: named ? { type: "hello", queue: named, json: {} } : { type: "hello", json: { name: "Ada" } },
  });
  return (
    <Empty title={named ? `There is no queue ${named}` : "There are no queues"} command={enqueue}>
      A queue is there from its first task on. To enqueue one:
    </Empty>
  );
}

const STORY = [
  ["enqueued", "accepted"],
  ["dequeued", "deliveries"],
  ["failed", "attempts failed"],
  ["retried", "attempts retried"],
  ["lost", "deliveries lost with their worker"],
  ["buried", "died"],
  ["revived", "revived"],
  ["deleted", "deleted"],
  ["dropped", "dropped: too many dead, or too old"],
  ["cancelled", "cancelled or discarded"],
] as const;

/** Everything that was counted in one queue. */
function Life({ queue: { counters = {} } }: { readonly queue: Queue }) {
  return (
    <dl class="facts wide">
      {STORY.map(([name, meaning]) => (
        <div key={name}>
          <dt>{meaning}</dt>
          <dd>{count(counters[name]).toLocaleString("en")}</dd>
        </div>
      ))}
    </dl>
  );
}
