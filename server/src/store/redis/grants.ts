import { blockKey } from "../../domain/ids.ts";
import { eachBody, joinBodies } from "../bodies.ts";
import type { Grant } from "../store.ts";
import { type AloneMeta, decodeRecord } from "./alone-record.ts";
import type { SentBlock } from "./enqueue-batch.ts";
import { type LeaseState, parseLease } from "./lease-text.ts";

/** A lease that this broker made: what stands in Redis, and the meta data of a task alone. */
export interface OwnLease {
  readonly state: LeaseState;
  readonly meta: AloneMeta | undefined;
}

/** Whose claim it was. */
export interface ClaimOrigin {
  readonly queue: string;
  readonly broker: string;
  readonly firstSequence: number;
}

export interface Granted {
  readonly grant: Grant;
  readonly lease: OwnLease;
}

/**
 * Reads the grants of one claim: leases and bodies in turn. A number instead of bodies stands for a block that this very
 * call brought: `sent` has it.
 */
export function readGrants(reply: readonly unknown[], { queue, broker, firstSequence }: ClaimOrigin, sent: readonly SentBlock[]): Granted[] {
  const granted: Granted[] = [];
  for (let i = 0; i < reply.length; i += 2) {
    const state = parseLease(String(reply[i]));
    const origin = { queue, broker, sequence: firstSequence + i / 2 };
    const bytes = reply[i + 1];
    if (state.kind === "alone") {
      // The record of a task alone comes as it is kept.
      const { meta, body } = decodeRecord(bytes as Buffer);
      const { attempt, lostCount, enqueuedAtMs, hasOptions } = meta;
      const task = { block: state.key, alone: true, first: 0, count: 1, bodies: joinBodies([body]) };
      granted.push({ grant: { ...origin, ...task, attempt, lostCount, enqueuedAtMs, hasOptions }, lease: { state, meta } });
      continue;
    }
    const { first, hasOptions, name, outstanding } = state;
    const count = outstanding.length;
    const bodies = typeof bytes === "number" ? slice(sent[bytes - 1], first, count) : (bytes as Buffer);
    const block = { block: blockKey(name), alone: false, first, count, bodies, attempt: 1, lostCount: 0, enqueuedAtMs: name.timeMs, hasOptions };
    granted.push({ grant: { ...origin, ...block }, lease: { state, meta: undefined } });
  }
  return granted;
}

function slice(block: SentBlock | undefined, first: number, count: number): Buffer {
  if (!block) throw new Error("Redis granted a block of this call that was not in it");
  if (first === 0 && count === block.count) return block.joined;
  const starts: number[] = [];
  let before = 0;
  eachBody(block.joined, (_, end) => {
    starts.push(before);
    before = end;
  });
  return block.joined.subarray(starts[first], starts[first + count] ?? block.joined.length);
}

