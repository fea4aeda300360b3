import type { Queue } from "./queue.ts";

/** Resolves when the task has ended; rejects when the signal is aborted first. */
export function waitForEnd({ waiting }: Queue, key: string, signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const others = waiting.get(key) ?? new Set();
    waiting.set(key, others);
    const leave = () => {
      others.delete(end);
      if (others.size === 0 && waiting.get(key) === others) waiting.delete(key);
      signal.removeEventListener("abort", abort);
    };
    const end = () => {
      leave();
      resolve();
    };
    const abort = () => {
      leave();
      reject(signal.reason);
    };
    others.add(end);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
}
