import { hasEnded } from "../../domain/state.ts";
import type { TaskSnapshot } from "../store.ts";
import type { Context } from "./context.ts";
import { findSnapshot } from "./find.ts";

/** The safety net under lost hints. */
const POLL_MS = 1_000;

export async function waitUntilEnded(context: Context, queue: string, key: string, signal: AbortSignal): Promise<TaskSnapshot | undefined> {
  let wake = () => {};
  const unlisten = context.wakeups.listen(queue, key, () => wake());
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  try {
    for (;;) {
      signal.throwIfAborted();
      const hint = new Promise<void>((resolve) => {
        wake = resolve;
      });
      // Announced before looking: what ends after the look is published.
      await context.wakeups.announce(queue);
      const snapshot = await findSnapshot(context, queue, key);
      if (!snapshot || hasEnded(snapshot.state)) return snapshot;
      const timer = setTimeout(() => wake(), POLL_MS);
      if (!signal.aborted) await hint;
      clearTimeout(timer);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    unlisten();
  }
}
