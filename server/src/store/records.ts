/**
 * The records that both stores keep, in msgpack. Tasks that stand in a block have no record of their own: only what is
 * not plain (scheduled, prioritised, named by its caller, tried before, dead) has one, and what has ended.
 */
import { pack, unpack, unpackMultiple } from "msgpackr";
import type { AttemptResult, Failure } from "./store.ts";

/** A task that is stored by itself. */
export interface AloneRecord {
  readonly body: Uint8Array;
  readonly hasOptions: boolean;
  readonly priority: number;
  /** Of the current or next attempt. */
  readonly attempt: number;
  readonly lostCount: number;
  readonly enqueuedAtMs: number;
  /** When it is, or was, due; 0 if it was never scheduled. */
  readonly runAtMs: number;
  readonly lastFailure: Failure | undefined;
  readonly lastEndedAtMs: number;
}

export function encodeAlone(record: AloneRecord): Buffer {
  const { body, hasOptions, priority, attempt, lostCount, enqueuedAtMs, runAtMs, lastFailure, lastEndedAtMs } = record;
  const failure = lastFailure && [lastFailure.type, lastFailure.message, lastFailure.durationMs, lastFailure.workerId];
  return pack([body, hasOptions, priority, attempt, lostCount, enqueuedAtMs, runAtMs, failure ?? null, lastEndedAtMs]);
}

type AloneFields = [Buffer, boolean, number, number, number, number, number, FailureFields | null, number];
type FailureFields = [type: string, message: string, durationMs: number, workerId: string];

export function decodeAlone(bytes: Uint8Array): AloneRecord {
  // Only encodeAlone writes these.
  const [body, hasOptions, priority, attempt, lostCount, enqueuedAtMs, runAtMs, failure, lastEndedAtMs] = unpack(
    bytes,
  ) as AloneFields;
  const lastFailure = failure ? toFailure(failure) : undefined;
  return { body, hasOptions, priority, attempt, lostCount, enqueuedAtMs, runAtMs, lastFailure, lastEndedAtMs };
}

function toFailure([type, message, durationMs, workerId]: FailureFields): Failure {
  return { type, message, durationMs, workerId };
}

/**
 * How some tasks of one block, settled together under one lease, ended. One record for all of them keeps a result at a
 * few bytes a task.
 */
export interface ResultRecord {
  /** The lease that ended them: makes a repeated ack recognisable. */
  readonly broker: string;
  readonly sequence: number;
  readonly attempt: number;
  readonly lostCount: number;
  readonly endedAtMs: number;
  readonly entries: readonly ResultEntry[];
}

export interface ResultEntry {
  /** Index in the block; 0 for a task alone. */
  readonly index: number;
  readonly durationMs: number;
  readonly workerId: string;
  readonly result: Uint8Array | undefined;
  /** Set when the task was discarded. */
  readonly failure: { readonly type: string; readonly message: string } | undefined;
}

/** Records of one block may be appended to each other: `findResult` reads them all. */
export function encodeResults(record: ResultRecord): Buffer {
  const { broker, sequence, attempt, lostCount, endedAtMs, entries } = record;
  const flat: unknown[] = [broker, sequence, attempt, lostCount, endedAtMs];
  let worker = "";
  for (const { index, durationMs, workerId, result, failure } of entries) {
    // The worker is written when it changes: most records have one.
    if (workerId !== worker) flat.push(workerId);
    worker = workerId;
    flat.push(index, durationMs, failure ? [failure.type, failure.message] : (result ?? null));
  }
  return pack(flat);
}

/** A result with the lease that it came from. */
export interface FoundResult extends AttemptResult {
  readonly broker: string;
  readonly sequence: number;
  readonly attempt: number;
  readonly lostCount: number;
}

/** The result of one task in the concatenated records of its block. */
export function findResult(records: Uint8Array, index: number): FoundResult | undefined {
  // Only encodeResults writes these.
  for (const record of unpackMultiple(records) as unknown[][]) {
    const [broker, sequence, attempt, lostCount, endedAtMs] = record as [string, number, number, number, number];
    let workerId = "";
    for (let at = 5; at < record.length; at += 3) {
      if (typeof record[at] === "string") workerId = record[at++] as string;
      if (record[at] !== index) continue;
      const durationMs = record[at + 1] as number;
      const end = record[at + 2] as Buffer | [string, string] | null;
      const failed = Array.isArray(end) ? { type: end[0], message: end[1], durationMs, workerId } : undefined;
      const result = Array.isArray(end) || end === null ? undefined : end;
      return {
        success: !failed,
        result,
        failure: failed,
        durationMs,
        workerId,
        endedAtMs,
        broker,
        sequence,
        attempt,
        lostCount,
      };
    }
  }
  return undefined;
}
