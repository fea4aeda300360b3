import type { State } from "../api/states.ts";

/** The state of a task. */
export function StateBadge({ state }: { readonly state: State | undefined }) {
  return <span class={`badge state-${state ?? "unknown"}`}>{state ?? "unknown"}</span>;
}

/** That nothing is handed out from a queue. */
export function Paused() {
  return (
    <span class="badge paused" title="Nothing is handed out from this queue until it is resumed">
      paused
    </span>
  );
}
