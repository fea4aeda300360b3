/** The queues: what stands in each, how fast it moves, and how to steer it. */
import { useState } from "preact/hooks";
import { grpcurl } from "../../api/grpcurl.ts";
import { count, type Queue } from "../../api/messages.ts";
import { link, stats } from "../../live/link.ts";
import { perSecond } from "../../live/rates.ts";
import { useSteady } from "../../live/use-steady.ts";
import { href, place, replace } from "../../location.ts";
import { Empty, Loading } from "../../parts/empty.tsx";
import { plural, whole } from "../../parts/format.ts";
import { Fresh } from "../../parts/fresh.tsx";
import { Page } from "../../parts/page.tsx";
import { Table } from "../../parts/scroll.tsx";
import { failuresAt } from "../pages.ts";
import { type Choice, COLUMNS, choose } from "./order.ts";
import { QueueRow } from "./queue-row.tsx";
import { RateDialog } from "./rate-dialog.tsx";

/** In one answer. */
const MOST_LISTED = 1_000;

export function Queues() {
  const { query } = place.value;
  const choice: Choice = {
    named: query.get("queue") ?? "",
    find: query.get("find") ?? "",
    isPaused: query.get("paused") === "yes",
    sort: query.get("sort") ?? "",
  };
  const { named, find } = choice;
  const all = stats.value?.queues;
  const queues = all && choose(all, choice);
  // With the first message no rate is known, and no order by one.
  const question = JSON.stringify([choice, perSecond("enqueued") !== undefined]);
  const { shown, waiting, accept } = useSteady<Queue>(queues, ({ name }) => name, question);
  // By name: the window shows the queue as it is, not as it was.
  const [limited, limit] = useState("");
  const toLimit = all?.find(({ name }) => name === limited);
  const rpc = named
    ? { method: "QueueService/GetQueue", request: { queue: named } }
    : { method: "QueueService/ListQueues", request: { pageSize: MOST_LISTED } };
  return (
    <Page
      title={named ? `Queue ${named}` : "Queues"}
      rpc={rpc}
      about={named ? <Beside named={named} /> : all && queues && <HowMany all={all} shown={queues.length} />}
      actions={named === "" && all !== undefined && all.length > 0 && <Find choice={choice} />}
    >
      {!queues && link.value.kind !== "away" && <Loading />}
      {queues?.length === 0 && (find || choice.isPaused ? <NoneChosen choice={choice} /> : <NoQueues named={named} />)}
      <Fresh waiting={waiting} accept={accept} />
      {shown.length > 0 && (
        <Table label="Queues" name="list queues">
          <thead>
            <tr>
              <th scope="col">Queue</th>
              {COLUMNS.map(({ name, sort }) => (
                <th
                  key={sort}
                  scope="col"
                  class="number"
                  aria-sort={named === "" && choice.sort === sort ? "descending" : undefined}
                >
                  {named ? name : <SortLink name={name} sort={sort} choice={choice} />}
                </th>
              ))}
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

/** The address of a choice of queues. */
function queuesAt({ find, isPaused, sort }: Choice): string {
  return href("/ui/queues", { find, paused: isPaused ? "yes" : "", sort });
}

/** The most at the top; once more, and they stand by name again. */
function SortLink({ name, sort, choice }: { readonly name: string; readonly sort: string; readonly choice: Choice }) {
  const isSorted = choice.sort === sort;
  return (
    <a
      class="sort"
      href={queuesAt({ ...choice, sort: isSorted ? "" : sort })}
      title={isSorted ? "Back to the order of names" : `The most at the top: ${name}`}
    >
      {name}
      {isSorted && <span aria-hidden="true"> ↓</span>}
    </a>
  );
}

function Find({ choice }: { readonly choice: Choice }) {
  return (
    <input
      type="search"
      class="find"
      aria-label="Find a queue by a part of its name"
      placeholder="Find a queue"
      autocomplete="off"
      spellcheck={false}
      value={choice.find}
      onInput={(event) => replace(queuesAt({ ...choice, find: event.currentTarget.value.trim() }))}
    />
  );
}

function Beside({ named }: { readonly named: string }) {
  return (
    <>
      <a href="/ui/queues">All queues</a> · <a href={failuresAt(named)}>its failures</a> ·{" "}
      <a href={href("/ui/workers", { queue: named })}>its workers</a>
    </>
  );
}

function HowMany({ all, shown }: { readonly all: readonly Queue[]; readonly shown: number }) {
  const paused = all.filter((queue) => queue.paused).length;
  return (
    <>
      {shown === all.length ? plural(shown, "queue") : `${whole(shown)} of ${plural(all.length, "queue")}`}
      {paused > 0 && (
        <>
          , <a href="/ui/queues?paused=yes">{whole(paused)} paused</a>
        </>
      )}
      {shown < all.length && (
        <>
          {" · "}
          <a href="/ui/queues">All queues</a>
        </>
      )}
    </>
  );
}

function NoneChosen({ choice: { find, isPaused } }: { readonly choice: Choice }) {
  return (
    <Empty title={`No ${isPaused ? "paused " : ""}queue${find ? ` with ${find} in its name` : ""}`}>
      <a href="/ui/queues">Show all queues</a>
    </Empty>
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
