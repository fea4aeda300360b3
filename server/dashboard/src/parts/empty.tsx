import type { ComponentChildren } from "preact";
import type { CallError } from "../api/call.ts";
import { link } from "../live/link.ts";
import { isTemporary } from "../live/use-fetched.ts";
import { Command } from "./copy.tsx";

/** Why there is nothing here, and what to do about it. */
export function Empty(props: {
  readonly title: string;
  readonly children?: ComponentChildren;
  readonly command?: string | undefined;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{props.title}</p>
      {props.children && <p>{props.children}</p>}
      {props.command && <Command text={props.command} />}
    </div>
  );
}

/** Why something cannot be shown. That the broker or the store is away, the banner says already. */
export function Problem({ error }: { readonly error: CallError }) {
  if (isTemporary(error) && link.value.kind === "away")
    return <Empty title="Not known at the moment">It is shown as soon as the connection is back.</Empty>;
  return (
    <div class="empty problem" role="alert">
      <p class="empty-title">This could not be loaded</p>
      <p>
        {error.message} <span class="muted">({error.code})</span>
      </p>
    </div>
  );
}

export function Loading() {
  return (
    <div class="loading" role="status">
      Loading …
    </div>
  );
}
