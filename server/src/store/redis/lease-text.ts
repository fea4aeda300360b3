/**
 * A lease as it stands in Redis: one text, replaced as a whole when some of its tasks are settled, and only if it is still
 * what the broker believes it to be.
 *
 *     a KEY                                      a task alone
 *     b ID NONCE FIRST COUNT TOTAL FLAGS         tasks FIRST to before FIRST+COUNT of a block of TOTAL tasks
 *     b ID NONCE FIRST COUNT TOTAL FLAGS BITS    the same, where only those with a 1 are still outstanding
 *
 * FLAGS: "o" when some of the tasks have options of their own, else "-"; then "w" for a whole block, else "-".
 */
import { type BlockName, blockKey } from "../../domain/ids.ts";

export type LeaseState = AloneLease | BlockLease;

export interface AloneLease {
  readonly kind: "alone";
  readonly key: string;
}

export interface BlockLease {
  readonly kind: "block";
  /** The id of the entry in the line. */
  readonly id: string;
  readonly name: BlockName;
  readonly first: number;
  readonly total: number;
  readonly hasOptions: boolean;
  /** Covers all tasks of the block. */
  readonly isWhole: boolean;
  /** Text without the bits. */
  readonly text: string;
  /** For each task whether it is outstanding. */
  readonly outstanding: Uint8Array;
  left: number;
}

export function parseLease(text: string): LeaseState {
  if (text.startsWith("a ")) return { kind: "alone", key: text.slice(2) };
  const [, id = "", nonce = "", first, count, total, flags = "", bits] = text.split(" ");
  const outstanding = bits === undefined ? new Uint8Array(Number(count)).fill(1) : Uint8Array.from(bits, Number);
  return {
    kind: "block",
    id,
    name: { ...parseEntryId(id), nonce },
    first: Number(first),
    total: Number(total),
    hasOptions: flags[0] === "o",
    isWhole: flags[1] === "w",
    text: bits === undefined ? text : text.slice(0, text.lastIndexOf(" ")),
    outstanding,
    left: outstanding.reduce((sum, bit) => sum + bit, 0),
  };
}

/** What stands in Redis for a lease in this state; "" when nothing of it is outstanding. */
export function leaseText(lease: BlockLease): string {
  if (lease.left === 0) return "";
  return lease.left === lease.outstanding.length ? lease.text : `${lease.text} ${lease.outstanding.join("")}`;
}

/** The item that puts a run of its tasks back to the front of the line. */
export function backItem(lease: BlockLease, first: number, count: number): string {
  const [kind, id, nonce] = lease.text.split(" ");
  return `${kind} ${id} ${nonce} ${first} ${count} ${lease.total}`;
}

export function blockKeyOf(lease: BlockLease): string {
  return blockKey(lease.name);
}

/** Time and sequence of a stream entry's id. */
export function parseEntryId(id: string): { timeMs: number; sequence: number } {
  const dash = id.indexOf("-");
  return { timeMs: Number(id.slice(0, dash)), sequence: Number(id.slice(dash + 1)) };
}
