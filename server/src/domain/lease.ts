/**
 * The right to settle one attempt of one task.
 *
 * A broker that claims tasks writes one lease for each run of tasks that it took from one block. The lease is named by the
 * broker's id (64 random bits, new in every process) and a number that the broker counts up. Both together are the fence:
 * after a store was rolled back, attempt numbers repeat, but no lease name does.
 */
import { INDEX_TEXT, parseBase32, queueTag } from "./ids.ts";

/** Where a lease is kept, and which tasks it is about. */
export interface Lease {
  readonly queue: string;
  /** The broker that claimed. */
  readonly broker: string;
  /** Counted up by that broker. */
  readonly sequence: number;
  /** The block that the tasks are in; or, when `alone`, the key of the one task. */
  readonly block: string;
  /** The task is stored by itself: it was scheduled, has a priority or a caller's id, or was tried before. */
  readonly alone: boolean;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
}

/** The key of one task under a lease. */
export function leasedKey(lease: Lease, index: number): string {
  return lease.alone ? lease.block : lease.block + INDEX_TEXT[index];
}

/** The token of a task is this prefix and, unless the lease is for a task alone, the two letters of its index. */
export function tokenPrefix({ broker, sequence, attempt, queue, block, alone }: Lease): string {
  return `${broker}.${sequence.toString(36)}.${attempt}.${alone ? "a" : "b"}.${queueTag(queue)}.${block}`;
}

export function leaseToken(lease: Lease, index: number): string {
  return lease.alone ? tokenPrefix(lease) : tokenPrefix(lease) + INDEX_TEXT[index];
}

/** A token taken apart. Its queue is known by its tag only, until the registry of queues is asked. */
export interface ParsedToken {
  readonly tag: string;
  readonly lease: Omit<Lease, "queue">;
  readonly index: number;
}

/** Takes a token apart; undefined when it cannot have come from a broker. */
export function parseLeaseToken(token: string): ParsedToken | undefined {
  const parts =
    /^([0-9A-Z]{14})\.([0-9a-z]{1,11})\.([0-9]{1,9})\.([ab])\.([0-9A-Z]{9})\.(=?[A-Za-z0-9._-]{1,128})$/.exec(token);
  if (!parts) return undefined;
  const [, broker = "", sequence = "", attempt = "", form, tag = "", key = ""] = parts;
  const lease = { broker, sequence: Number.parseInt(sequence, 36), attempt: Number(attempt) };
  if (form === "a") return { tag, lease: { ...lease, block: key, alone: true }, index: 0 };
  const index = parseBase32(key.slice(-2));
  if (!(index < INDEX_TEXT.length)) return undefined;
  return { tag, lease: { ...lease, block: key.slice(0, -2), alone: false }, index };
}
