/**
 * How a task alone stands in the hash `alone`: its meta data, and its body after its length, as in a block. A claim hands out
 * many of them as one text: each tells where it ends, and what a broker needs of it is read at fixed places. Scripts change
 * some of these places by themselves (lib/alone.lua), so that a body need not go over the wire to change its meta data.
 *
 *     | length of what follows up to the body | flags | priority | attempt | lost | enqueued | due | attempts |
 *     |                   3                   |   1   |    4     |    4    |  4   |    6     |  6  |          |
 *
 * Flags: 1 = it has options, 2 = attempts have ended. Without that there are none. Times are epoch ms. Attempts are as
 * attempts.ts writes them.
 */
import { varintLength, writeVarint } from "../../lib/varint.ts";
import { decodeAttempts, encodeAttempts } from "../attempts.ts";
import { bodyAt } from "../bodies.ts";
import type { AloneRecord } from "../records.ts";

const LENGTH = 3;
const PLACE = { flags: 3, priority: 4, attempt: 8, lost: 12, enqueued: 16, due: 22, attempts: 28 } as const;
const TIME = 6;
const HAS_OPTIONS = 1;
const HAS_ATTEMPTS = 2;
const NO_BODY = new Uint8Array(0);
const NOTHING = Buffer.alloc(0);

/** All but the body. The scripts put a body to it, which they take from where it was. */
export function encodeMeta(record: AloneRecord): Buffer {
  return encode(record, 0);
}

export function encodeValue(record: AloneRecord): Buffer {
  const { body } = record;
  const value = encode(record, varintLength(body.length) + body.length);
  const at = writeVarint(value, bodiesAt(value), body.length);
  value.set(body, at);
  return value;
}

export function decodeValue(value: Buffer): AloneRecord {
  return { ...decodeMeta(value), body: bodyOf(value) };
}

export function bodyOf(value: Buffer): Buffer {
  return bodyAt(value.subarray(bodiesAt(value)), 0);
}

/** Without the body. @param at where the value begins */
export function decodeMeta(value: Buffer, at = 0): AloneRecord {
  const flags = value[at + PLACE.flags] ?? 0;
  return {
    body: NO_BODY,
    hasOptions: (flags & HAS_OPTIONS) !== 0,
    priority: value.readInt32BE(at + PLACE.priority),
    attempt: value.readUInt32BE(at + PLACE.attempt),
    lostCount: value.readUInt32BE(at + PLACE.lost),
    enqueuedAtMs: value.readUIntBE(at + PLACE.enqueued, TIME),
    runAtMs: value.readUIntBE(at + PLACE.due, TIME),
    attempts:
      (flags & HAS_ATTEMPTS) === 0 ? [] : decodeAttempts(value.subarray(at + PLACE.attempts, bodiesAt(value, at))),
  };
}

/** Where the body begins, with its length. @param at where the value begins */
export function bodiesAt(value: Buffer, at = 0): number {
  return at + LENGTH + value.readUIntBE(at, LENGTH);
}

/** Leaves `room` bytes at the end. */
function encode(record: AloneRecord, room: number): Buffer {
  const hasAttempts = record.attempts.length > 0;
  const attempts = hasAttempts ? encodeAttempts(record.attempts) : NOTHING;
  const length = PLACE.attempts + attempts.length;
  const value = Buffer.allocUnsafe(length + room);
  value.writeUIntBE(length - LENGTH, 0, LENGTH);
  value[PLACE.flags] = (record.hasOptions ? HAS_OPTIONS : 0) | (hasAttempts ? HAS_ATTEMPTS : 0);
  value.writeInt32BE(record.priority, PLACE.priority);
  value.writeUInt32BE(record.attempt, PLACE.attempt);
  value.writeUInt32BE(record.lostCount, PLACE.lost);
  value.writeUIntBE(record.enqueuedAtMs, PLACE.enqueued, TIME);
  value.writeUIntBE(record.runAtMs, PLACE.due, TIME);
  value.set(attempts, PLACE.attempts);
  return value;
}
