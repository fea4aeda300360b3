/** The record of a task that is stored by itself: its state and stamp, which only this store reads, then the shared form. */
import { type AloneRecord, decodeAlone, encodeAlone } from "../records.ts";
import { STAMP_LENGTH } from "./stamps.ts";

const STATES = ["scheduled", "ready", "dead"] as const;
const STAMP_AT = 1;
const TAIL_AT = STAMP_AT + STAMP_LENGTH;

/** A task's record, with what only this store keeps. */
export interface StoredAlone {
  readonly state: (typeof STATES)[number];
  /** Where it stands in its line when the line is made again. */
  readonly stamp: string;
  readonly record: AloneRecord;
}

export function encodeStoredAlone({ state, stamp, record }: StoredAlone): Buffer {
  const tail = encodeAlone(record);
  const bytes = Buffer.allocUnsafe(TAIL_AT + tail.length);
  bytes[0] = STATES.indexOf(state);
  bytes.write(stamp, STAMP_AT, "latin1");
  bytes.set(tail, TAIL_AT);
  return bytes;
}

export function decodeStoredAlone(bytes: Buffer): StoredAlone {
  return {
    state: STATES[bytes[0] ?? 0] ?? "scheduled",
    stamp: bytes.toString("latin1", STAMP_AT, TAIL_AT),
    record: decodeAlone(bytes.subarray(TAIL_AT)),
  };
}
