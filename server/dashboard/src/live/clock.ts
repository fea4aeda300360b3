/** The time by the clock of the store, which all times on the pages are of. */
import { signal } from "@preact/signals";

/** How far the store is ahead of this machine. */
let aheadMs = 0;

/** Now; moves each second while the page can be seen. */
export const now = signal(Date.now());

export function setClock(storeMs: number): void {
  if (Number.isFinite(storeMs)) aheadMs = storeMs - Date.now();
  now.value = Date.now() + aheadMs;
}

setInterval(() => {
  if (!document.hidden) now.value = Date.now() + aheadMs;
}, 1_000);
