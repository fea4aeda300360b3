import { count, ms, type Percentiles, type Stats } from "../../api/messages.ts";
import { short, span, UNKNOWN } from "../../parts/format.ts";
import { Panel } from "../../parts/page.tsx";
import { tasksAt } from "../pages.ts";

/** How long tasks waited and ran. */
export function LatencyPanel({ stats: { wait, run } }: { readonly stats: Stats }) {
  return (
    <Panel title="Latency" aside={<span class="muted">last minute</span>} name="latency">
      <table class="figures">
        <thead>
          <tr>
            <td />
            <th scope="col">p50</th>
            <th scope="col">p95</th>
            <th scope="col">p99</th>
            <th scope="col">tasks</th>
          </tr>
        </thead>
        <tbody>
          <Row
            name="Wait"
            title="From when a task was ready to its first delivery"
            of={wait}
            href={tasksAt({ state: "ready" })}
          />
          <Row name="Run" title="From delivery to settlement" of={run} href={tasksAt({ state: "active" })} />
        </tbody>
      </table>
    </Panel>
  );
}

function Row(props: {
  readonly name: string;
  readonly title: string;
  readonly of: Percentiles | undefined;
  readonly href: string;
}) {
  const { name, title, of, href } = props;
  const isKnown = count(of?.count) > 0;
  const text = (duration: string | undefined) => (isKnown ? span(ms(duration)) : UNKNOWN);
  return (
    <tr>
      <th scope="row" title={title}>
        <a href={href}>{name}</a>
      </th>
      <td>{text(of?.p50)}</td>
      <td>{text(of?.p95)}</td>
      <td>{text(of?.p99)}</td>
      <td>{isKnown ? short(count(of?.count)) : UNKNOWN}</td>
    </tr>
  );
}
