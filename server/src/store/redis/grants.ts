/** Reads what a claim returned: for each grant the lease as it was written, and its bodies. */
import { joinBodies } from "../bodies.ts";
import type { Grant } from "../store.ts";
import { bodyOf, decodeMeta } from "./alone-value.ts";
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
    const sequence = claimed.firstSequence + at / 2;
    const text = String(reply[at]);
    const value: Reply = reply[at + 1];
    const { grant, held } = text.startsWith("a ")
      ? aloneGrant(text, asBuffer(value), sequence, claimed)
      : blockGrant(text, value, sequence, claimed);
    onLease(sequence, { text, held });
    grants.push(grant);
  }
  return grants;
}

function aloneGrant(
  text: string,
  value: Buffer,
  sequence: number,
  { queue, broker }: Claimed,
): { grant: Grant; held: HeldLease } {
  const key = text.slice(2);
  const record = decodeMeta(value);
  const { attempt, lostCount, enqueuedAtMs, hasOptions } = record;
  const bodies = joinBodies([bodyOf(value)]);
  const lease = { queue, broker, sequence, block: key, alone: true, attempt };
  return {
    grant: { ...lease, first: 0, count: 1, bodies, lostCount, enqueuedAtMs, hasOptions },
    held: { kind: "alone", key, record },
  };
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
    hasOptions: held.hasOptions,
  };
  return { grant, held };
}

function asBuffer(value: Reply): Buffer {
  if (!Buffer.isBuffer(value)) throw new Error("a grant came without its bodies");
  return value;
}
