/** A button that calls an RPC, and says what came of it. */
import { useState } from "preact/hooks";
import { CallError, call, type Rpc } from "../api/call.ts";
import { changed } from "../live/use-fetched.ts";
import { ask, type Question } from "./confirm.tsx";
import { CopyGrpcurl } from "./copy.tsx";
import { tell } from "./toasts.tsx";

export interface ActionProps<Response> {
  readonly label: string;
  /** What it is done to, for those who do not see what stands beside it. */
  readonly of?: string;
  readonly rpc: Rpc;
  /** Asked first, where there is no way back. */
  readonly question?: Omit<Question, "rpc" | "verb">;
  /** What it did. */
  readonly done: (response: Response) => string;
  readonly after?: () => void;
  readonly look?: "primary" | "danger" | "plain";
}

export function Action<Response>({ label, of, rpc, question, done, after, look = "plain" }: ActionProps<Response>) {
  const [isBusy, setBusy] = useState(false);
  const run = async () => {
    if (isBusy) return;
    if (question && !(await ask({ ...question, verb: label, isDangerous: look === "danger", rpc }))) return;
    setBusy(true);
    if (await perform(rpc, done)) after?.();
    setBusy(false);
  };
  const name = of ? `${label} ${of}` : label;
  return (
    <span class="action">
      <button
        type="button"
        class={`button ${look}`}
        aria-disabled={isBusy}
        aria-label={name}
        onClick={() => void run()}
      >
        {label}
      </button>
      <CopyGrpcurl rpc={rpc} what={name} />
    </span>
  );
}

/** Whether it was done; says so, or why not. */
export async function perform<Response>(rpc: Rpc, done: (response: Response) => string): Promise<boolean> {
  try {
    const response = await call<Response>(rpc);
    tell({ kind: "done", text: done(response) });
    return true;
  } catch (error) {
    const reason = error instanceof CallError ? `${error.message} (${error.code})` : String(error);
    tell({ kind: "failed", text: `Nothing was done: ${reason}` });
    return false;
  } finally {
    changed();
  }
}
