/** Everything at a glance. Each number leads to the list that it counts. */
import { useEffect } from "preact/hooks";
import { count } from "../../api/messages.ts";
import { followHistory } from "../../live/history.ts";
import { link, stats } from "../../live/link.ts";
import { Loading } from "../../parts/empty.tsx";
import { plural } from "../../parts/format.ts";
import { Page } from "../../parts/page.tsx";
import { FirstSteps } from "./first-steps.tsx";
import { Headline } from "./headline.tsx";
import { HourPanel } from "./hour-panel.tsx";
import { LatencyPanel } from "./latency-panel.tsx";
import { BusyQueues, TypesPanel } from "./queue-panels.tsx";
import { StorePanel } from "./store-panel.tsx";

const RPC = { method: "StatsService/GetStats", request: {} };

export function Overview() {
  useEffect(followHistory, []);
  const latest = stats.value;
  const { workers = 0, brokers = 0 } = latest ?? {};
  return (
    <Page
      title="Overview"
      rpc={RPC}
      about={
        latest && (
          <>
            <a href="/ui/workers">{plural(workers, "worker")}</a> on {plural(brokers, "broker")}
          </>
        )
      }
    >
      {!latest && link.value.kind !== "away" && <Loading />}
      {latest && count(latest.total?.enqueued) === 0 && <FirstSteps workers={workers} />}
      {latest && (
        <div class="overview">
          <Headline stats={latest} />
          <HourPanel />
          <BusyQueues stats={latest} />
          <LatencyPanel stats={latest} />
          <StorePanel stats={latest} />
          <TypesPanel stats={latest} />
        </div>
      )}
    </Page>
  );
}
