/** Asks before something is done that cannot be undone. */
import { signal } from "@preact/signals";
import type { Rpc } from "../api/call.ts";
import { CopyGrpcurl } from "./copy.tsx";
import { Dialog } from "./dialog.tsx";

export interface Question {
  /** Names the number. */
  readonly title: string;
  readonly consequence: string;
  /** What the button says. */
  readonly verb: string;
  readonly isDangerous?: boolean;
  readonly rpc: Rpc;
}

const open = signal<{ readonly question: Question; readonly answer: (yes: boolean) => void } | undefined>(undefined);

export function ask(question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    open.value = {
      question,
      answer: (yes) => {
        open.value = undefined;
        resolve(yes);
      },
    };
  });
}

export function Confirm() {
  if (!open.value) return null;
  const { question, answer } = open.value;
  const { title, consequence, verb, isDangerous, rpc } = question;
  return (
    <Dialog key={title} title={title} onClose={() => answer(false)}>
      <p>{consequence}</p>
      <div class="dialog-actions">
        <CopyGrpcurl rpc={rpc} />
        <span class="grow" />
        <button type="button" class="button" data-first onClick={() => answer(false)}>
          Keep as it is
        </button>
        <button type="button" class={`button ${isDangerous ? "danger" : "primary"}`} onClick={() => answer(true)}>
          {verb}
        </button>
      </div>
    </Dialog>
  );
}
