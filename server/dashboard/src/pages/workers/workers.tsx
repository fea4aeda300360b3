/** The workers that are connected to any broker, and what each holds. */
import type { Worker } from "../../api/messages.ts";
import { link } from "../../live/link.ts";
import { useFetched } from "../../live/use-fetched.ts";
import { useSteady } from "../../live/use-steady.ts";
import { place } from "../../location.ts";
import { Empty, Loading, Problem } from "../../parts/empty.tsx";
import { plural, whole } from "../../parts/format.ts";
import { Fresh } from "../../parts/fresh.tsx";
import { Page } from "../../parts/page.tsx";
import { WorkerCard } from "./worker-card.tsx";

const REFRESH_MS = 2_000;
const RPC = { method: "StatsService/ListWorkers", request: {} };

export function Workers() {
  const { query } = place.value;
  const named = query.get("worker") ?? "";
  const queue = query.get("queue") ?? "";
  const { data, error } = useFetched<{ workers?: readonly Worker[] }>(RPC, REFRESH_MS);
  const all = data?.workers ?? (data && []);
  const chosen = all?.filter((worker) => {
    const takes = worker.queues?.some((one) => one.queue === queue);
    return (named === "" || worker.id === named) && (queue === "" || takes);
  });
  // A worker has a session with each of several brokers.
  const { shown, waiting, accept } = useSteady(chosen, ({ id, brokerId }) => `${id}/${brokerId}`, `${named}/${queue}`);
  const isFiltered = named !== "" || queue !== "";
  const sum = (of: (worker: Worker) => number) => (all ?? []).reduce((total, worker) => total + of(worker), 0);
  return (
    <Page
      title={named ? `Worker ${named}` : queue ? `Workers of ${queue}` : "Workers"}
      rpc={RPC}
      about={
        isFiltered ? (
          <a href="/ui/workers">All workers</a>
        ) : (
          all &&
          `${plural(all.length, "worker")}, ${whole(sum((one) => one.inFlight ?? 0))} of ${plural(
            sum((one) => one.concurrency ?? 0),
            "slot",
          )} in use`
        )
      }
    >
      <Fresh waiting={waiting} accept={accept} />
      {!all && !error && link.value.kind !== "away" && <Loading />}
      {error && !all && <Problem error={error} />}
      {chosen && shown.length === 0 && (
        <NoWorkers named={named} queue={queue} isAny={all !== undefined && all.length > 0} />
      )}
      <ul class="workers">
        {shown.map(({ item, isGone }) => (
          <WorkerCard key={`${item.id}/${item.brokerId}`} worker={item} isGone={isGone} />
        ))}
      </ul>
    </Page>
  );
}

function NoWorkers(props: { readonly named: string; readonly queue: string; readonly isAny: boolean }) {
  const { named, queue, isAny } = props;
  if (named)
    return (
      <Empty title={`The worker ${named} is not connected`}>
        It has stopped, or lost its connection. What it held was given to others.
      </Empty>
    );
  if (queue && isAny)
    return (
      <Empty title={`No worker takes tasks of ${queue}`}>
        Its tasks wait until one does. What <a href="/ui/workers">the workers that are connected</a> take stands beside
        each.
      </Empty>
    );
  return (
    <Empty title="No worker is connected" command="node --import tsx worker-sdk/examples/hello.ts">
      Tasks wait until one is. From the folder of Taskwire, a worker that greets:
    </Empty>
  );
}
