/** Says why nothing moves, and what to type next. */
import { now } from "../live/clock.ts";
import { link, reconnect, stats, type Who } from "../live/link.ts";
import { Command } from "../parts/copy.tsx";

const STORIES: Readonly<
  Record<Who, { readonly title: string; readonly advice: string; readonly command: () => string }>
> = {
  broker: {
    title: "The broker is away",
    advice: "Tasks are safe in the store meanwhile. To start a broker on this machine:",
    command: () => "npm run broker",
  },
  store: {
    title: "The store is away",
    advice:
      "The broker tries again by itself, and workers keep what they have done. To see whether Redis answers, and what the broker says:",
    command: () => `redis-cli -u "$TASKWIRE_REDIS_URL" ping; curl ${location.origin}/readyz`,
  },
  fault: {
    title: "The broker does not tell its numbers",
    advice: "It is up, and tasks may well go on. To ask it without this page:",
    command: () => `curl ${location.origin}/stats`,
  },
};

export function Away() {
  const state = link.value;
  if (state.kind !== "away") return null;
  const { who, reason, retryAtMs } = state;
  const { title, advice, command } = STORIES[who];
  return (
    <div class="banner" role="alert">
      <p class="banner-title">{title}</p>
      <p>
        {reason ? `${capital(reason)}. ` : ""}
        {stats.value ? "What is shown is what was last known. " : ""}
        {advice}
      </p>
      <Command text={command()} />
      <p class="banner-next">
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
