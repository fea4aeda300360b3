/** Looks at leases that this broker does not hold in memory. */
import { type Lease, leasedKey } from "../../domain/lease.ts";
import { bodyAt } from "../bodies.ts";
import type { LeasedTask } from "../store.ts";
import { bodyOf, decodeMeta } from "./alone-value.ts";
import { BlockLease, streamId } from "./held-lease.ts";
import type { Lane } from "./lane.ts";
import type { Argument } from "./script.ts";
import { SCRIPTS } from "./scripts.ts";

/** Bytes of a block's value before its first body. */
export const BLOCK_HEADER = 9;

export interface Seen {
  readonly key: string;
  /** Text of the lease; "" = there is none. */
  readonly lease: string;
  /** "" = the task does not stand alone. */
  readonly state: string;
  readonly record: Buffer | undefined;
  /** Newest first. */
  readonly results: readonly Buffer[];
  readonly entry: Buffer | undefined;
}

interface LeasedIndex {
  readonly lease: Lease;
  readonly index: number;
}

/** @param tasks all of leases that one broker made */
export async function inspect(lane: Lane, tasks: readonly LeasedIndex[]): Promise<Seen[]> {
  const args: Argument[] = [];
  const keys: string[] = [];
  for (const { lease, index } of tasks) {
    const key = leasedKey(lease, index);
    keys.push(key);
    args.push(String(lease.sequence), lease.block, key, (lease.alone ? undefined : streamId(lease.block)) ?? "");
  }
  const reply = await lane.run(SCRIPTS.inspect, args, tasks[0]?.lease.broker);
  // The form that inspect.lua says.
  const flat = reply as readonly (Buffer | Buffer[])[];
  return keys.map((key, i) => ({
    key,
    lease: String(flat[i * 5]),
    state: String(flat[i * 5 + 1]),
    record: nonEmpty(flat[i * 5 + 2]),
    results: flat[i * 5 + 3] as readonly Buffer[],
    entry: nonEmpty(flat[i * 5 + 4]),
  }));
}

export async function findLeased(lane: Lane, lease: Lease, index: number): Promise<LeasedTask | undefined> {
  const [seen] = await inspect(lane, [{ lease, index }]);
  if (!seen || seen.lease === "") return undefined;
  if (seen.lease.startsWith("a ")) {
    if (!lease.alone || index !== 0 || seen.record === undefined || seen.lease.slice(2) !== lease.block)
      return undefined;
    const { attempt, lostCount, hasOptions } = decodeMeta(seen.record);
    return attempt === lease.attempt ? { body: bodyOf(seen.record), attempt, lostCount, hasOptions } : undefined;
  }
  const held = new BlockLease(seen.lease);
  if (lease.alone || lease.attempt !== 1 || held.block !== lease.block || !held.has(index) || !seen.entry)
    return undefined;
  const body = bodyAt(seen.entry.subarray(BLOCK_HEADER), index);
  return { body, attempt: 1, lostCount: 0, hasOptions: held.hasOptions };
}

function nonEmpty(value: Buffer | Buffer[] | undefined): Buffer | undefined {
  return Buffer.isBuffer(value) && value.length > 0 ? value : undefined;
}
