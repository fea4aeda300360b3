import { setMaxListeners } from "node:events";

/** Who hears of an abort: `handleEvent` is called. */
export type AbortListener = { handleEvent(): void } | (() => void);

/** Listens to a signal. One signal may end any number of calls: that is no leak, so Node is told not to warn of one. */
export function onAbort(signal: AbortSignal, listener: AbortListener): void {
  setMaxListeners(0, signal);
  signal.addEventListener("abort", listener);
}
