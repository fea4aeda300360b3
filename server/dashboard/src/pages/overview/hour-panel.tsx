import { useState } from "preact/hooks";
import { HISTORY, historyMissing, type Point, points } from "../../live/history.ts";
import { Chart, type Line } from "../../parts/chart.tsx";
import { CopyGrpcurl } from "../../parts/copy.tsx";
import { Empty } from "../../parts/empty.tsx";
import { rate, short, span } from "../../parts/format.ts";
import { Panel } from "../../parts/page.tsx";
import { Segments } from "../../parts/segments.tsx";
import { failuresAt, tasksAt } from "../pages.ts";

interface View {
  readonly name: string;
  readonly lines: readonly Line<Point>[];
  readonly text: (value: number) => string;
}

const VIEWS: readonly View[] = [
  {
    name: "Rates",
    text: (value) => `${rate(value)}/s`,
    lines: [
      { name: "enqueued", of: (point) => point.enqueued, href: tasksAt({ state: "ready" }) },
      { name: "completed", of: (point) => point.completed, href: tasksAt({ state: "completed" }) },
      { name: "failed", of: (point) => point.failed, href: failuresAt() },
    ],
  },
  {
    name: "Latency",
    text: span,
    lines: [
      { name: "wait p95", of: (point) => point.wait, href: tasksAt({ state: "ready" }) },
      { name: "run p95", of: (point) => point.run, href: tasksAt({ state: "active" }) },
    ],
  },
  {
    name: "Backlog",
    text: short,
    lines: [
      { name: "waiting", of: (point) => point.ready, href: tasksAt({ state: "ready" }) },
      { name: "dead", of: (point) => point.dead, href: tasksAt({ state: "dead" }) },
    ],
  },
];

/** The last hour as a chart. */
export function HourPanel() {
  const [name, choose] = useState(VIEWS[0]?.name);
  const view = VIEWS.find((one) => one.name === name) ?? VIEWS[0];
  if (!view) return null;
  return (
    <Panel
      title="Last hour"
      name="hour"
      aside={
        <>
          <Segments
            label="What the chart shows"
            choices={VIEWS.map((one) => one.name)}
            chosen={view.name}
            choose={choose}
          />
          <CopyGrpcurl rpc={HISTORY} what="the last hour" />
        </>
      }
    >
      {points.value.length < 2 ? (
        <Empty title="Nothing to draw yet">The line begins in a few seconds.</Empty>
      ) : (
        <Chart key={view.name} points={points.value} lines={view.lines} text={view.text} />
      )}
      {historyMissing.value && (
        <p class="muted chart-note">
          Only since this page was opened: the broker has no history ({historyMissing.value}).
        </p>
      )}
    </Panel>
  );
}
