import { now } from "../live/clock.ts";
import { age, exact, relative, UNKNOWN } from "./format.ts";

/** How long ago, or how far ahead; exactly when, under the pointer. */
export function Ago({ at }: { readonly at: string | undefined }) {
  const atMs = Date.parse(at ?? "");
  if (!at || !Number.isFinite(atMs)) return <span class="muted">{UNKNOWN}</span>;
  return (
    <time dateTime={at} title={exact(atMs)}>
      {relative(atMs, now.value)}
    </time>
  );
}

/** How long something has lasted. */
export function Since({ at }: { readonly at: string | undefined }) {
  const atMs = Date.parse(at ?? "");
  if (!at || !Number.isFinite(atMs)) return <span class="muted">{UNKNOWN}</span>;
  return (
    <time dateTime={at} title={`since ${exact(atMs)}`}>
      {age(now.value - atMs)}
    </time>
  );
}
