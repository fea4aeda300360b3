import { useState } from "preact/hooks";
import type { Rpc } from "../api/call.ts";
import { grpcurl } from "../api/grpcurl.ts";
import { Code } from "./code.tsx";
import { Icon, type IconName } from "./icon.tsx";
import { tell } from "./toasts.tsx";

/** Copies a text, and says that it did. */
export function CopyButton(props: {
  readonly text: () => string;
  readonly label: string;
  readonly icon?: IconName;
  /** Shows the label beside the icon. */
  readonly isWide?: boolean;
}) {
  const { text, label, icon = "copy", isWide } = props;
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    const copied = text();
    try {
      await navigator.clipboard.writeText(copied);
    } catch {
      // Beyond loopback a page without encryption has no clipboard.
      return tell({
        kind: "info",
        text: "The browser gives this page no clipboard. Copy it from here:",
        command: copied,
      });
    }
    setDone(true);
    setTimeout(() => setDone(false), 1_500);
    tell({ kind: "done", text: "Copied", command: copied });
  };
  return (
    <button
      type="button"
      class={isWide ? "button quiet" : "button quiet icon-only"}
      aria-label={isWide ? undefined : label}
      title={isWide ? undefined : label}
      onClick={() => void copy()}
    >
      <Icon name={isDone ? "check" : icon} />
      {isWide && label}
    </button>
  );
}

export function CopyGrpcurl({ rpc, what }: { readonly rpc: Rpc; readonly what?: string }) {
  const label = what ? `Copy as grpcurl: ${what}` : "Copy as grpcurl";
  return <CopyButton text={() => grpcurl(rpc)} label={label} icon="terminal" isWide={what === undefined} />;
}

/** A command to type next. */
export function Command({ text }: { readonly text: string }) {
  return (
    <div class="command">
      <Code label="Command">{text}</Code>
      <CopyButton text={() => text} label="Copy this command" />
    </div>
  );
}
