/**
 * A mark tells of one task which lease was its last, what that lease came to, and whether the task left its block: in one
 * number, because a block has one for each of its tasks. 0: in its block, and never leased by this process.
 */
import type { Outcome } from "../store.ts";

/** What a lease came to. "held": not settled yet; "cancel": the task was cancelled, under a lease or while it waited. */
const FATES = [
  "held",
  "ack",
  "retry",
  "bury",
  "discard",
  "release",
  "snooze",
  "lose",
  "cancel",
] as const satisfies readonly ("held" | "cancel" | Outcome["kind"])[];

export type Fate = (typeof FATES)[number];

const CODES = new Map<Fate, number>(FATES.map((fate, code) => [fate, code]));
const SEQUENCE_UNIT = 2 * FATES.length;

/** The mark of a task that had left its block before this process began. */
export const LEFT_EARLIER = 1;

export function markOf(sequence: number, fate: Fate): number {
  return sequence * SEQUENCE_UNIT + 2 * (CODES.get(fate) ?? 0);
}

/** The same, of a task that left its block: for a record of its own, or for a result. */
export function leftMarkOf(sequence: number, fate: Fate): number {
  return markOf(sequence, fate) + 1;
}

export function hasLeft(mark: number): boolean {
  return mark % 2 === 1;
}

export function markSequence(mark: number): number {
  return Math.floor(mark / SEQUENCE_UNIT);
}

export function markFate(mark: number): Fate {
  return FATES[Math.floor((mark % SEQUENCE_UNIT) / 2)] ?? "held";
}
