import { place } from "../location.ts";
import { Empty } from "../parts/empty.tsx";
import { Page } from "../parts/page.tsx";

export function Unknown() {
  return (
    <Page title="No such page" rpc={{ method: "StatsService/GetStats", request: {} }}>
      <Empty title={`There is no page at ${place.value.path}`}>
        <a href="/">To the overview</a>
      </Empty>
    </Page>
  );
}
