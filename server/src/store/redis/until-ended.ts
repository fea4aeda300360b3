import { TaskwireError } from "../../domain/errors.ts";
import { hasEnded } from "../../domain/state.ts";
import type { TaskSnapshot } from "../store.ts";
import type { Context } from "./context.ts";
import { findSnapshot } from "./find.ts";

/** The safety net under lost hints. */
const POLL_MS = 1_000;

export async function waitUntilEnded(
  context: Context,
  queue: string,
  key: string,
  signal: AbortSignal,
): Promise<TaskSnapshot | undefined> {
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
      const found = await look(context, queue, key);
      if (found && (!found.snapshot || hasEnded(found.snapshot.state))) return found.snapshot;
      const timer = setTimeout(() => wake(), POLL_MS);
      if (!signal.aborted) await hint;
      clearTimeout(timer);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    unlisten();
  }
}

/** Undefined when the store cannot be reached now: whoever waits goes on waiting. */
async function look(
  context: Context,
  queue: string,
  key: string,
): Promise<{ snapshot: TaskSnapshot | undefined } | undefined> {
  try {
    // Announced before looking: what ends after the look is published.
    await context.wakeups.announce(queue);
    return { snapshot: await findSnapshot(context, queue, key) };
  } catch (error) {
    if (error instanceof TaskwireError && error.code === "STORE_UNAVAILABLE") return undefined;
    throw error;
  }
}
