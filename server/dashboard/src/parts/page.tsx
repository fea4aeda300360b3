import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Rpc } from "../api/call.ts";
import { CopyGrpcurl } from "./copy.tsx";

/** A page: its heading, what can be done with all of it, and the command that answers the same. */
export function Page(props: {
  readonly title: string;
  /** Shown instead of the title, which then names the window only. */
  readonly heading?: ComponentChildren;
  readonly about?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly rpc: Rpc;
  readonly children: ComponentChildren;
}) {
  const { title, heading = title, about, actions, rpc, children } = props;
  useEffect(() => {
    document.title = `${title} · Taskwire`;
  }, [title]);
  return (
    <>
      <header class="page-head">
        <div class="page-title">
          <h1 tabIndex={-1}>{heading}</h1>
          {about && <p class="about">{about}</p>}
        </div>
        <div class="page-actions">
          {actions}
          <CopyGrpcurl rpc={rpc} />
        </div>
      </header>
      {children}
    </>
  );
}

/** A part of a page. */
export function Panel(props: {
  readonly title: ComponentChildren;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly name?: string;
}) {
  return (
    <section class={`panel ${props.name ?? ""}`}>
      <header class="panel-head">
        <h2>{props.title}</h2>
        {props.aside && <div class="panel-aside">{props.aside}</div>}
      </header>
      {props.children}
    </section>
  );
}
