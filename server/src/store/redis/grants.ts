/**
 * Reads what a claim returned: for each block the lease as it was written, and the bodies; for a run of tasks alone "a" and the
 * keys, and the records. Each grant has the sequence after that of the one before it.
 */
import { VarintReader } from "../../lib/varint.ts";
import type { Grant } from "../store.ts";
import { bodiesAt, decodeMeta } from "./alone-value.ts";
import type { Reply } from "./connection.ts";
import { BlockLease, type HeldLease } from "./held-lease.ts";

export interface Claimed {
  readonly queue: string;
  readonly broker: string;
  readonly firstSequence: number;
  /** Finds bodies that the script did not send back, because they came in the same call. */
  readonly ownBodies: (ordinal: number, lease: BlockLease) => Buffer;
}

export interface NewLease {
  readonly text: string;
  readonly held: HeldLease;
}

export function readGrants(
  reply: Reply,
  claimed: Claimed,
  onLease: (sequence: number, lease: NewLease) => void,
): Grant[] {
  const grants: Grant[] = [];
  if (!Array.isArray(reply)) return grants;
  for (let at = 0; at < reply.length; at += 2) {
    const text = asBuffer(reply[at]).toString("latin1");
    const value: Reply = reply[at + 1];
    if (text.startsWith("a ")) {
      readAlone(text, asBuffer(value), claimed, grants, onLease);
      continue;
    }
    const sequence = claimed.firstSequence + grants.length;
    const { grant, held } = blockGrant(text, value, sequence, claimed);
    onLease(sequence, { text, held });
    grants.push(grant);
  }
  return grants;
}

/** A run of tasks alone: their keys, and their records in a row. */
function readAlone(
  text: string,
  records: Buffer,
  { queue, broker, firstSequence }: Claimed,
  grants: Grant[],
  onLease: (sequence: number, lease: NewLease) => void,
): void {
  const keys = text.split(" ");
  const reader = new VarintReader(records);
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] ?? "";
    const record = decodeMeta(records, reader.at);
    const { attempt, lostCount, enqueuedAtMs, runAtMs, hasOptions } = record;
    const start = bodiesAt(records, reader.at);
    reader.at = start;
    const length = reader.next();
    reader.at += length;
    const sequence = firstSequence + grants.length;
    onLease(sequence, { text: `a ${key}`, held: { kind: "alone", key, record } });
    grants.push({
      queue,
      broker,
      sequence,
      block: key,
      alone: true,
      attempt,
      first: 0,
      count: 1,
      bodies: records.subarray(start, reader.at),
      lostCount,
      enqueuedAtMs,
      runAtMs,
      hasOptions,
    });
  }
}

function blockGrant(text: string, value: Reply, sequence: number, claimed: Claimed): { grant: Grant; held: HeldLease } {
  const held = new BlockLease(text);
  const grant: Grant = {
    queue: claimed.queue,
    broker: claimed.broker,
    sequence,
    block: held.block,
    alone: false,
    attempt: 1,
    first: held.first,
    count: held.count,
    bodies: typeof value === "number" ? claimed.ownBodies(value, held) : asBuffer(value),
    lostCount: 0,
    enqueuedAtMs: held.enqueuedAtMs,
    runAtMs: 0,
    hasOptions: held.hasOptions,
  };
  return { grant, held };
}

function asBuffer(value: Reply | undefined): Buffer {
  if (!Buffer.isBuffer(value)) throw new Error("a grant came without its bodies");
  return value;
}
