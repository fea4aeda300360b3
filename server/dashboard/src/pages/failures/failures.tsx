/** What tasks died of: one row for each kind of failure, however many tasks it has. */
import { count, type FailureGroup } from "../../api/messages.ts";
import { link, stats } from "../../live/link.ts";
import { useFetched } from "../../live/use-fetched.ts";
import { useSteady } from "../../live/use-steady.ts";
import { place } from "../../location.ts";
import { Empty, Loading, Problem } from "../../parts/empty.tsx";
import { plural, whole } from "../../parts/format.ts";
import { Fresh } from "../../parts/fresh.tsx";
import { Page } from "../../parts/page.tsx";
import { DeadActions } from "./dead-actions.tsx";
import { FailureRow } from "./failure-row.tsx";

const REFRESH_MS = 3_000;

export function Failures() {
  const queue = place.value.query.get("queue") ?? "";
  const rpc = { method: "TaskService/ListFailures", request: queue ? { queue } : {} };
  const { data, error, isOld } = useFetched<{ groups?: readonly FailureGroup[] }>(rpc, REFRESH_MS);
  const groups = isOld ? undefined : (data?.groups ?? (data && []));
  const { shown, waiting, accept } = useSteady(groups, (group) => `${group.queue}/${group.id}`, queue);
  const many = (groups ?? []).reduce((sum, group) => sum + count(group.count), 0);
  const dropped = count(stats.value?.total?.dropped);
  return (
    <Page
      title={queue ? `Failures of ${queue}` : "Failures"}
      rpc={rpc}
      about={
        <>
          {groups && `${plural(many, "dead task")} in ${plural(groups.length, "group")}. `}
          {dropped > 0 && `${whole(dropped)} older ones were dropped: only so many are kept. `}
          {queue && <a href="/ui/failures">Those of all queues</a>}
        </>
      }
      actions={
        many > 0 && (
          <DeadActions
            tasks={queue ? { queue } : { all: true }}
            isAll
            many={many}
            of={queue ? `dead tasks of ${queue}` : "dead tasks"}
          />
        )
      }
    >
      <Fresh waiting={waiting} accept={accept} />
      {!groups && !error && link.value.kind !== "away" && <Loading />}
      {error && <Problem error={error} />}
      {groups && shown.length === 0 && (
        <Empty title="No task is dead">
          Tasks come here when they are out of retries, or when their handler says that trying again is no use. Attempts
          that fail and are tried again are among the <a href="/ui/tasks?state=scheduled">scheduled tasks</a>.
        </Empty>
      )}
      <ul class="failures">
        {shown.map(({ item, isGone }) => (
          <FailureRow key={`${item.queue}/${item.id}`} group={item} isGone={isGone} />
        ))}
      </ul>
    </Page>
  );
}
