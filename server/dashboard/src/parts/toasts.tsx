/** What an action did, or why not: said aloud, and gone after a while. */
import { signal } from "@preact/signals";
import { Icon } from "./icon.tsx";

export interface Message {
  readonly kind: "done" | "info" | "failed";
  readonly text: string;
  readonly command?: string;
}

const SHOWN_MS = { done: 6_000, info: 20_000, failed: 20_000 };
const MOST = 4;

const toasts = signal<readonly (Message & { readonly id: number })[]>([]);
let lastId = 0;

export function tell(message: Message): void {
  const id = ++lastId;
  toasts.value = [...toasts.value, { ...message, id }].slice(-MOST);
  setTimeout(() => dismiss(id), SHOWN_MS[message.kind]);
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite" aria-label="Messages">
      {toasts.value.map(({ id, kind, text, command }) => (
        <div key={id} class={`toast ${kind}`}>
          <div>
            <p>{text}</p>
            {command && <code>{command}</code>}
          </div>
          <button type="button" class="button quiet icon-only" aria-label="Dismiss" onClick={() => dismiss(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
