/** Says why nothing moves, and what to type next. */
import { now } from "../live/clock.ts";
import { link, reconnect, stats } from "../live/link.ts";
import { Command } from "../parts/copy.tsx";

export function Away() {
  const state = link.value;
  if (state.kind !== "away") return null;
  const { who, reason, retryAtMs } = state;
  return (
    <div class="away" role="alert">
      <p class="away-title">{who === "store" ? "The store is away" : "The broker is away"}</p>
      <p>
        {reason ? `${capital(reason)}. ` : ""}
        {stats.value ? "What is shown is what was last known. " : ""}
        {who === "store"
          ? "The broker tries again by itself, and workers keep what they have done. To see whether Redis answers, and what the broker says:"
          : "Tasks are safe in the store meanwhile. To start a broker on this machine:"}
      </p>
      <Command
        text={
          who === "store" ? `redis-cli -u "$TASKWIRE_REDIS_URL" ping; curl ${location.origin}/readyz` : "npm run broker"
        }
      />
      <p class="away-next">
        <Next atMs={retryAtMs} />
        <button type="button" class="button" onClick={reconnect}>
          Try now
        </button>
      </p>
    </div>
  );
}

function Next({ atMs }: { readonly atMs: number }) {
  // Read so that it is drawn again each second.
  now.value;
  const seconds = Math.max(0, Math.ceil((atMs - Date.now()) / 1_000));
  return <span aria-live="off">{seconds > 0 ? `Next try in ${seconds} s` : "Trying now …"}</span>;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
