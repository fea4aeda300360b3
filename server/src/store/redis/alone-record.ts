/**
 * The record of a task alone: the length of its meta data in three bytes, the meta data in msgpack, the body. The scripts
 * replace the meta data and leave the body where it is, without knowing what either means.
 */
import { pack, unpack } from "msgpackr";
import type { Failure } from "../store.ts";

export interface AloneMeta {
  readonly hasOptions: boolean;
  readonly priority: number;
  /** Of the current or next attempt. */
  readonly attempt: number;
  readonly lostCount: number;
  readonly enqueuedAtMs: number;
  /** When it is due, as far as the broker knew; 0 if never scheduled. */
  readonly runAtMs: number;
  readonly lastFailure: Failure | undefined;
  readonly lastEndedAtMs: number;
}

const LENGTH_BYTES = 3;

export function encodeMeta(meta: AloneMeta): Buffer {
  const { hasOptions, priority, attempt, lostCount, enqueuedAtMs, runAtMs, lastFailure, lastEndedAtMs } = meta;
  const failure = lastFailure && [lastFailure.type, lastFailure.message, lastFailure.durationMs, lastFailure.workerId];
  return pack([hasOptions, priority, attempt, lostCount, enqueuedAtMs, runAtMs, failure ?? null, lastEndedAtMs]);
}

export function encodeRecord(meta: AloneMeta, body: Uint8Array): Buffer {
  const head = encodeMeta(meta);
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUIntBE(head.length, 0, LENGTH_BYTES);
  return Buffer.concat([length, head, body]);
}

type MetaFields = [boolean, number, number, number, number, number, [string, string, number, string] | null, number];

export function decodeRecord(record: Buffer): { meta: AloneMeta; body: Buffer } {
  const bodyAt = LENGTH_BYTES + record.readUIntBE(0, LENGTH_BYTES);
  // Only encodeMeta writes these.
  const fields = unpack(record.subarray(LENGTH_BYTES, bodyAt)) as MetaFields;
  const [hasOptions, priority, attempt, lostCount, enqueuedAtMs, runAtMs, failure, lastEndedAtMs] = fields;
  const lastFailure = failure ? { type: failure[0], message: failure[1], durationMs: failure[2], workerId: failure[3] } : undefined;
  return {
    meta: { hasOptions, priority, attempt, lostCount, enqueuedAtMs, runAtMs, lastFailure, lastEndedAtMs },
    body: record.subarray(bodyAt),
  };
}

/** How priorities are ranked in Redis: "" for 0, which stands in the line; else minus the priority. */
export function rankOf(priority: number): string {
  return priority === 0 ? "" : String(-priority);
}

/** The member of `due` for a task. */
export function dueMember(key: string, priority: number): string {
  return priority === 0 ? key : `${key}|${rankOf(priority)}`;
}
