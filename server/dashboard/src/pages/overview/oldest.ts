import type { Stats } from "../../api/messages.ts";

/** The queue whose head has been ready for longest. */
export function oldestOf({ queues = [] }: Stats): { readonly queue: string; readonly at: string } | undefined {
  let oldest: { queue: string; at: string } | undefined;
  for (const { name, oldestReadyTime: at } of queues) {
    if (at && (!oldest || Date.parse(at) < Date.parse(oldest.at))) oldest = { queue: name, at };
  }
  return oldest;
}
