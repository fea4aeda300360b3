/** What an RPC answers, fetched again while the stream is live. */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { CallError, call, type Rpc } from "../api/call.ts";
import { stats } from "./link.ts";

export interface Fetched<Response> {
  readonly data: Response | undefined;
  readonly error: CallError | undefined;
  /** Whether the data is the answer to an earlier question: that to the present one is under way. */
  readonly isOld: boolean;
}

/** Moves when something was changed from here: what is shown is then fetched at once. */
const changes = signal(0);

export function changed(): void {
  changes.value++;
}

/** @param everyMs not more often than this; 0 = only when asked, or when something was changed from here */
export function useFetched<Response>(rpc: Rpc | undefined, everyMs: number): Fetched<Response> {
  const question = rpc ? JSON.stringify([rpc.method, rpc.request]) : "";
  const [answer, setAnswer] = useState<{ question: string; data?: Response; error?: CallError }>({ question: "" });

  // The question is the call as text: the object is a new one each time.
  useEffect(() => {
    if (!rpc) return undefined;
    const stop = new AbortController();
    let askedAtMs = 0;
    let isUnderWay = false;
    const ask = async () => {
      if (isUnderWay) return;
      isUnderWay = true;
      askedAtMs = Date.now();
      try {
        const data = await call<Response>(rpc, stop.signal);
        if (!stop.signal.aborted) setAnswer({ question, data });
      } catch (error) {
        if (stop.signal.aborted) return;
        const failure = toFailure(error);
        setAnswer((before) => ({
          question,
          // What was shown stays while only the way to it is broken.
          ...(isTemporary(failure) && before.question === question && before.data ? { data: before.data } : {}),
          error: failure,
        }));
      } finally {
        isUnderWay = false;
      }
    };
    void ask();
    const unfollow = stats.subscribe(() => {
      if (everyMs > 0 && Date.now() - askedAtMs >= everyMs) void ask();
    });
    let seen = changes.peek();
    const unheed = changes.subscribe((count) => {
      if (count !== seen) void ask();
      seen = count;
    });
    return () => {
      stop.abort();
      unfollow();
      unheed();
    };
  }, [question, everyMs]);

  return { data: answer.data, error: answer.error, isOld: answer.question !== question };
}

function toFailure(error: unknown): CallError {
  return error instanceof CallError ? error : new CallError(String(error), { code: "internal", cause: error });
}

export function isTemporary({ code }: CallError): boolean {
  return code === "unreachable" || code === "unavailable";
}
