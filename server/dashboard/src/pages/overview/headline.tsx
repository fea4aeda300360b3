import type { ComponentChildren } from "preact";
import { count, type Stats } from "../../api/messages.ts";
import { failureShare, perSecond } from "../../live/rates.ts";
import { percent, rate, short, whole } from "../../parts/format.ts";
import { Since } from "../../parts/time.tsx";
import { failuresAt, tasksAt } from "../pages.ts";
import { oldestOf } from "./oldest.ts";

export function Headline({ stats }: { readonly stats: Stats }) {
  const { total = {} } = stats;
  const oldest = oldestOf(stats);
  const share = failureShare();
  return (
    <div class="headline">
      <Figure name="Enqueued" value={rate(perSecond("enqueued"))} unit="/s" href={tasksAt({ state: "ready" })}>
        {whole(count(total.enqueued))} in all
      </Figure>
      <Figure name="Completed" value={rate(perSecond("completed"))} unit="/s" href={tasksAt({ state: "completed" })}>
        {whole(count(total.completed))} in all
      </Figure>
      <Figure
        name="Failing"
        value={percent(share)}
        href={failuresAt()}
        tone={share !== undefined && share >= 0.05 ? "bad" : ""}
      >
        last minute
      </Figure>
      <Figure name="Waiting" value={short(count(total.ready))} href={tasksAt({ state: "ready" })}>
        {oldest ? (
          <>
            oldest <Since at={oldest.at} />
          </>
        ) : (
          "nothing waits"
        )}
      </Figure>
      <Figure name="Scheduled" value={short(count(total.scheduled))} href={tasksAt({ state: "scheduled" })}>
        delays and retries
      </Figure>
      <Figure name="Active" value={short(count(total.active))} href={tasksAt({ state: "active" })}>
        with workers now
      </Figure>
      <Figure
        name="Dead"
        value={short(count(total.dead))}
        href={tasksAt({ state: "dead" })}
        tone={count(total.dead) > 0 ? "bad" : ""}
      >
        {count(total.dropped) > 0 ? `${short(count(total.dropped))} dropped so far` : "out of retries"}
      </Figure>
    </div>
  );
}

function Figure(props: {
  readonly name: string;
  readonly value: string;
  readonly unit?: string;
  readonly href: string;
  readonly tone?: "bad" | "";
  readonly children: ComponentChildren;
}) {
  const { name, value, unit, href, tone = "", children } = props;
  return (
    <a class={`figure ${tone}`} href={href}>
      <span class="figure-name">{name}</span>
      <span class="figure-value">
        {value}
        {unit && <small>{unit}</small>}
      </span>
      <span class="figure-note">{children}</span>
    </a>
  );
}
