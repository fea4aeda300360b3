import { Packr } from "msgpackr";
import type { EncodedSketch } from "../lib/sketch.ts";
import type { QueueCounters } from "../store/store.ts";

/** What one broker saw in one slot of time. */
export interface Seen {
  /** When it looked, by the clock of the store. */
  readonly timeMs: number;
  /** All queues together, over all brokers. */
  readonly total: QueueCounters;
  /** How long tasks waited, and ran, in ms. */
  readonly wait: EncodedSketch;
  readonly run: EncodedSketch;
}

/** In the order in which they are written. New ones are added at the end, so that older samples can still be read. */
const COUNTERS = [
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
  "scheduled",
  "ready",
  "active",
  "dead",
] as const satisfies readonly (keyof QueueCounters)[];

type Listed = (typeof COUNTERS)[number];

/** Plain MessagePack: samples are read by other processes, of other versions. */
const packr = new Packr({ useRecords: false });

type Packed = readonly [
  timeMs: number,
  counters: readonly number[],
  waitSum: number,
  wait: readonly number[],
  runSum: number,
  run: readonly number[],
];

export function encodeSample({ timeMs, total, wait, run }: Seen): Uint8Array {
  const counters = COUNTERS.map((name) => total[name]);
  const packed: Packed = [timeMs, counters, wait.sum, wait.pairs, run.sum, run.pairs];
  return packr.pack(packed);
}

/** Undefined when it cannot be read: then its broker is missing from that slot, and nothing else. */
export function decodeSample(bytes: Uint8Array): Seen | undefined {
  try {
    const unpacked: unknown = packr.unpack(bytes);
    if (!isPacked(unpacked)) return undefined;
    const [timeMs, counters, waitSum, wait, runSum, run] = unpacked;
    // COUNTERS has all of them, or the return would not be a Seen.
    const total = Object.fromEntries(COUNTERS.map((name, i) => [name, counters[i] ?? 0])) as Record<Listed, number>;
    return { timeMs, total, wait: { sum: waitSum, pairs: wait }, run: { sum: runSum, pairs: run } };
  } catch {
    return undefined;
  }
}

function isPacked(value: unknown): value is Packed {
  if (!Array.isArray(value)) return false;
  const [timeMs, counters, waitSum, wait, runSum, run] = value;
  const areNumbers = (list: unknown) => Array.isArray(list) && list.every(Number.isFinite);
  return [timeMs, waitSum, runSum].every(Number.isFinite) && [counters, wait, run].every(areNumbers);
}
