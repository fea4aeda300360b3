/**
 * The records that both stores keep, in msgpack. Tasks that stand in a block have no record of their own: only what is
 * not plain (scheduled, prioritised, named by its caller, tried before, dead) has one, and what has ended.
 */
import { pack, unpack, unpackMultiple } from "msgpackr";
import { decodeAttempts, encodeAttempts } from "./attempts.ts";
import type { Attempt, AttemptResult, Failure } from "./store.ts";

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
  /** Those that ended, newest first: see attempts.ts. */
  readonly attempts: readonly Attempt[];
}

export function encodeAlone(record: AloneRecord): Buffer {
  const { body, hasOptions, priority, attempt, lostCount, enqueuedAtMs, runAtMs, attempts } = record;
  const past = attempts.length > 0 ? encodeAttempts(attempts) : null;
  return pack([body, hasOptions, priority, attempt, lostCount, enqueuedAtMs, runAtMs, past]);
}

type AloneFields = [Buffer, boolean, number, number, number, number, number, Buffer | null];

export function decodeAlone(bytes: Uint8Array): AloneRecord {
  // Only encodeAlone writes these.
  const [body, hasOptions, priority, attempt, lostCount, enqueuedAtMs, runAtMs, past] = unpack(bytes) as AloneFields;
  const attempts = past ? decodeAttempts(past) : [];
  return { body, hasOptions, priority, attempt, lostCount, enqueuedAtMs, runAtMs, attempts };
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
  /** The attempts before the one that ended a task alone, newest first; of tasks in blocks there are none. */
  readonly earlier?: readonly Attempt[];
  readonly entries: readonly ResultEntry[];
}

export interface ResultEntry {
  /** Index in the block; 0 for a task alone. */
  readonly index: number;
  readonly durationMs: number;
  readonly workerId: string;
  readonly result: Uint8Array | undefined;
  /** Set when the task was discarded or cancelled. */
  readonly failure: { readonly type: string; readonly message: string; readonly stack: string } | undefined;
}

/** Records of one block may be appended to each other: `findResult` reads them all. */
export function encodeResults(record: ResultRecord): Buffer {
  const { broker, sequence, attempt, lostCount, endedAtMs, earlier = [], entries } = record;
  const flat: unknown[] = [broker, sequence, attempt, lostCount, endedAtMs];
  if (earlier.length > 0) flat.push(encodeAttempts(earlier));
  let worker = "";
  for (const { index, durationMs, workerId, result, failure } of entries) {
    // The worker is written when it changes: most records have one.
    if (workerId !== worker) flat.push(workerId);
    worker = workerId;
    flat.push(index, durationMs, failure ? failureFields(failure) : (result ?? null));
  }
  return pack(flat);
}

function failureFields({ type, message, stack }: NonNullable<ResultEntry["failure"]>): FailureFields {
  return stack === "" ? [type, message] : [type, message, stack];
}

type FailureFields = [type: string, message: string, stack?: string];

/** A result with the lease that it came from. */
export interface FoundResult extends AttemptResult {
  readonly broker: string;
  readonly sequence: number;
  readonly attempt: number;
  readonly lostCount: number;
  /** The attempts before it, newest first. */
  readonly earlier: readonly Attempt[];
}

/** The result of one task in the concatenated records of its block. */
export function findResult(records: Uint8Array, index: number): FoundResult | undefined {
  for (const found of eachResult(records)) if (found.index === index) return found.read();
  return undefined;
}

/** All results in the concatenated records of a block, in the order in which they were written. */
export function* eachResult(
  records: Uint8Array,
): Generator<{ readonly index: number; readonly success: boolean; readonly read: () => FoundResult }> {
  // Only encodeResults writes these.
  for (const record of unpackMultiple(records) as unknown[][]) {
    const [broker, sequence, attempt, lostCount, endedAtMs] = record as [string, number, number, number, number];
    const past = Buffer.isBuffer(record[EARLIER_AT]) ? record[EARLIER_AT] : undefined;
    let worker = "";
    for (let at = past ? EARLIER_AT + 1 : EARLIER_AT; at < record.length; at += 3) {
      if (typeof record[at] === "string") worker = record[at++] as string;
      const workerId = worker;
      const [index, durationMs, end] = record.slice(at, at + 3) as [number, number, Buffer | FailureFields | null];
      const success = !Array.isArray(end);
      const read = (): FoundResult => ({
        success,
        result: success ? (end ?? undefined) : undefined,
        failure: success ? undefined : toFailure(end, durationMs, workerId),
        durationMs,
        workerId,
        endedAtMs,
        broker,
        sequence,
        attempt,
        lostCount,
        earlier: past ? decodeAttempts(past) : [],
      });
      yield { index, success, read };
    }
  }
}

/** Where the earlier attempts stand in a record, if it has some; else its first entry. */
const EARLIER_AT = 5;

function toFailure([type, message, stack = ""]: FailureFields, durationMs: number, workerId: string): Failure {
  return { type, message, stack, durationMs, workerId };
}
