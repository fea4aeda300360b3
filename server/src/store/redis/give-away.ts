/** Gives back to the line what a broker leased, as lost without fault of a worker. */
import type { Settlement } from "../store.ts";
import { planEntry } from "./effects.ts";
import type { Entry } from "./entry.ts";
import { leaseOf, readHeld } from "./held-lease.ts";
import type { Lane } from "./lane.ts";
import { resultSettings } from "./result-settings.ts";

/** Leases in one script call, so that nothing else waits for long. */
const BATCH = 50;

/**
 * Several may do this for the same broker at once: each lease is given away by one of them.
 * @param isMeant picks leases by their numbers
 * @returns how many tasks this call gave back
 */
export async function giveAway(lane: Lane, broker: string, isMeant: (sequence: number) => boolean): Promise<number> {
  const leases = [...(await lane.leasesOf(broker))].filter(([sequence]) => isMeant(sequence));
  // In the order in which they were claimed; the last batch goes to the very front, so from the end.
  leases.sort(([a], [b]) => b - a);
  let count = 0;
  for (let at = 0; at < leases.length; at += BATCH) {
    const batch = leases.slice(at, at + BATCH).reverse();
    const planned = await planBatch(lane, broker, batch);
    const mismatched = await lane.settleOf(broker, [...planned.keys()]);
    for (const [entry, tasks] of planned) if (!mismatched.has(entry)) count += tasks;
    if (broker === lane.context.broker()) for (const [sequence] of batch) lane.held.delete(sequence);
  }
  return count;
}

async function planBatch(
  lane: Lane,
  broker: string,
  leases: readonly (readonly [number, string])[],
): Promise<Map<Entry, number>> {
  const aloneKeys = leases.flatMap(([, text]) => (text.startsWith("a ") ? [text.slice(2)] : []));
  const records = await lane.records(aloneKeys);
  const planned = new Map<Entry, number>();
  for (const [sequence, text] of leases) {
    const held = readHeld(text, records[aloneKeys.indexOf(text.slice(2))]);
    if (!held) continue;
    const lease = leaseOf(lane.queue, broker, sequence, held);
    const indexes = held.kind === "alone" ? [0] : held.outstanding();
    const settlements = indexes.map(
      (index): Settlement => ({ lease, index, outcome: { kind: "lose", failure: undefined } }),
    );
    const { share } = resultSettings(lane.context.options);
    const nowMs = lane.context.nowMs();
    planned.set(planEntry({ lease, held, expected: text, settlements, nowMs, resultShare: share }), indexes.length);
  }
  return planned;
}
