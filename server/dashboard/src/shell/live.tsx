import { now } from "../live/clock.ts";
import { link, updatedAtMs } from "../live/link.ts";
import { age } from "../parts/format.ts";

/** How live the page is. */
export function Live() {
  const { kind } = link.value;
  const text = { connecting: "connecting …", live: "live", paused: "paused", away: "reconnecting …" }[kind];
  return (
    <div class={`link ${kind}`} role="status">
      <span class="dot" aria-hidden="true" />
      {text}
      {kind !== "live" && updatedAtMs.value > 0 && (
        <span class="muted" aria-live="off">
          , last updated <Age /> ago
        </span>
      )}
    </div>
  );
}

export function Age() {
  // Read so that it is drawn again each second.
  now.value;
  return <>{age(Date.now() - updatedAtMs.value)}</>;
}
