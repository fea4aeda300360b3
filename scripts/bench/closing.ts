/** Ends what the benchmark has started, also when it is interrupted. */
type End = () => Promise<unknown>;

const open = new Set<End>();
let interrupted = false;

/** Remembers how to end something. Call the result instead of `end`: then it is done once. */
export function closing(end: End): () => Promise<void> {
  open.add(end);
  return async () => {
    if (open.delete(end)) await end();
  };
}

/** Ends all that is still open. */
export async function closeAll(): Promise<void> {
  const ends = [...open].reverse();
  open.clear();
  await Promise.allSettled(ends.map((end) => end()));
}

/** On Ctrl-C nothing stays behind: no process, no folder. */
export function closeOnSignals(): void {
  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.once(signal, () => {
      interrupted = true;
      void closeAll().then(() => process.exit(exitCode));
    });
  }
}

/** Whether such a signal has come: what fails from then on is no finding. */
export function isInterrupted(): boolean {
  return interrupted;
}
