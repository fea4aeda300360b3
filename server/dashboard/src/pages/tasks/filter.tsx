import { count } from "../../api/messages.ts";
import { counterOf, STATES } from "../../api/states.ts";
import { stats } from "../../live/link.ts";
import { go } from "../../location.ts";
import { short } from "../../parts/format.ts";
import { tasksAt } from "../pages.ts";
import type { Query } from "./query.ts";

/** Chooses which tasks are listed. Each choice is an address. */
export function Filter({ query }: { readonly query: Query }) {
  const { state, queue, type, failure } = query;
  const latest = stats.value;
  const names = (latest?.queues ?? []).map(({ name }) => name);
  const types = Object.keys(latest?.enqueuedByType ?? {});
  const counters = queue ? latest?.queues?.find(({ name }) => name === queue)?.counters : latest?.total;
  const keepsType = state !== "completed" && state !== "cancelled";
  return (
    <div class="filter">
      <nav class="tabs" aria-label="State">
        {STATES.map((one) => (
          <a
            key={one}
            href={tasksAt({ ...query, state: one, failure: "" })}
            aria-current={one === state ? "page" : undefined}
          >
            {one} <span class="tab-count">{counters ? short(count(counters[counterOf(one)])) : ""}</span>
          </a>
        ))}
      </nav>
      <div class="filter-fields">
        <label>
          Queue
          <select
            value={queue}
            onChange={(event) => go(tasksAt({ ...query, queue: event.currentTarget.value, failure: "" }))}
          >
            <option value="">all</option>
            {withOwn(names, queue).map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label title={keepsType ? undefined : "Of tasks that ended so, the type is not kept"}>
          Type
          <select
            value={keepsType ? type : ""}
            disabled={!keepsType}
            onChange={(event) => go(tasksAt({ ...query, type: event.currentTarget.value }))}
          >
            <option value="">{keepsType ? "all" : "not kept"}</option>
            {withOwn(types, type).map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {failure && state === "dead" && (
          <a class="chip" href={tasksAt({ state, queue, type })} title="Show the others, too">
            one group of failures <span aria-hidden="true">×</span>
            <span class="only-aloud">: show all dead tasks of the queue</span>
          </a>
        )}
      </div>
    </div>
  );
}

/** What the address names can be chosen, whether it is there or not. */
function withOwn(names: readonly string[], own: string): readonly string[] {
  return own === "" || names.includes(own) ? names : [own, ...names];
}
