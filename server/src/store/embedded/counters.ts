/** The numbers of a queue that are kept on disk. */
import { VarintReader, varintLength, writeVarint } from "../../lib/varint.ts";
import { STAMP_LENGTH } from "./stamps.ts";

const NAMES = [
  "enqueued",
  "dequeued",
  "completed",
  "failed",
  "retried",
  "lost",
  "buried",
  "cancelled",
  "revived",
  "deleted",
  "dropped",
  "results",
] as const;

/** `results`: how many results are kept. The others only rise. */
export type Counters = Record<(typeof NAMES)[number], number>;

export function noCounts(): Counters {
  return {
    enqueued: 0,
    dequeued: 0,
    completed: 0,
    failed: 0,
    retried: 0,
    lost: 0,
    buried: 0,
    cancelled: 0,
    revived: 0,
    deleted: 0,
    dropped: 0,
    results: 0,
  };
}

/** With the last stamp that was given out: keys must not go back behind it. */
export function encodeCounters(counters: Counters, stamp: string): Buffer {
  const length = NAMES.reduce((sum, name) => sum + varintLength(counters[name]), STAMP_LENGTH);
  const bytes = Buffer.allocUnsafe(length);
  bytes.write(stamp, 0, "latin1");
  let at = STAMP_LENGTH;
  for (const name of NAMES) at = writeVarint(bytes, at, counters[name]);
  return bytes;
}

/** Reads the counters into `counters`; returns the stamp. */
export function decodeCounters(bytes: Buffer, counters: Counters): string {
  const reader = new VarintReader(bytes, STAMP_LENGTH);
  for (const name of NAMES) counters[name] = reader.next();
  return bytes.toString("latin1", 0, STAMP_LENGTH);
}

/** How many tasks have not ended, as the counters tell. */
export function countAlive({ enqueued, completed, cancelled, buried, revived }: Counters): number {
  return enqueued - completed - cancelled - (buried - revived);
}

/** How many are dead, as the counters tell. */
export function countDead({ buried, revived, deleted, dropped }: Counters): number {
  return buried - revived - deleted - dropped;
}
