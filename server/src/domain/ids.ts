/**
 * How tasks are named.
 *
 * Inside its queue a task has a key. A key made by a store is 22 letters of Crockford's base 32:
 *
 *     |  time, ms  | sequence | nonce  | index |
 *     |     10     |    4     |   6    |   2   |
 *      `------- block ---------------'
 *
 * The block is the run of tasks that was stored as one; a task that was stored alone has index 00. Time and sequence order
 * the blocks of a queue. The 30 random bits of the nonce keep keys unique even when a store is rolled back, or fails over
 * to a replica whose clock is behind, and hands out the same time and sequence again.
 *
 * A key chosen by a caller is `=` and the caller's id.
 *
 * Outside, a task made by a store has an id of 31 letters: partition (1), the tag of its queue (8), key (22). It is enough
 * by itself to find the task. A task with a caller's id is found by that id together with its queue.
 */
import { createHash, randomBytes, randomFillSync } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_LENGTH = 10;
const SEQUENCE_LENGTH = 4;
const NONCE_LENGTH = 6;
export const BLOCK_KEY_LENGTH = TIME_LENGTH + SEQUENCE_LENGTH + NONCE_LENGTH;
const INDEX_LENGTH = 2;
const TAG_LENGTH = 9;
const ID_LENGTH = TAG_LENGTH + BLOCK_KEY_LENGTH + INDEX_LENGTH;

/** The most tasks that are stored as one block. Also the bound of an index: see `INDEX_TEXT`. */
export const MAX_BLOCK_TASKS = 128;

/** The two letters of each index. */
export const INDEX_TEXT: readonly string[] = Array.from({ length: MAX_BLOCK_TASKS }, (_, i) => base32(i, INDEX_LENGTH));

/** Writes a whole number below 2^53 with a fixed number of letters. */
export function base32(value: number, length: number): string {
  let text = "";
  for (let rest = value, i = 0; i < length; i++, rest = Math.floor(rest / 32)) text = `${ALPHABET[rest % 32]}${text}`;
  return text;
}

/** Reads what `base32` wrote; NaN when a letter is not in the alphabet. */
export function parseBase32(text: string): number {
  let value = 0;
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter);
    if (digit < 0) return Number.NaN;
    value = value * 32 + digit;
  }
  return value;
}

/** A block's place in time: the name under which a store keeps it. */
export interface BlockName {
  readonly timeMs: number;
  /** Tells apart the blocks of one millisecond. */
  readonly sequence: number;
  /** Six letters. */
  readonly nonce: string;
}

export function blockKey({ timeMs, sequence, nonce }: BlockName): string {
  return base32(timeMs, TIME_LENGTH) + base32(sequence, SEQUENCE_LENGTH) + nonce;
}

/** The block of a key made by a store; undefined for a caller's key. */
export function parseBlockKey(key: string): BlockName | undefined {
  if (key.startsWith("=") || key.length < BLOCK_KEY_LENGTH) return undefined;
  const nonceAt = TIME_LENGTH + SEQUENCE_LENGTH;
  return {
    timeMs: parseBase32(key.slice(0, TIME_LENGTH)),
    sequence: parseBase32(key.slice(TIME_LENGTH, nonceAt)),
    nonce: key.slice(nonceAt, BLOCK_KEY_LENGTH),
  };
}

/** The index in the block of a key made by a store. */
export function keyIndex(key: string): number {
  return parseBase32(key.slice(BLOCK_KEY_LENGTH));
}

/** A new key for a task that is stored alone: the sequence is random as well, since no one counts it. */
export function newTaskKey(nowMs: number): string {
  const sequence = base32(random32() % 2 ** 20, SEQUENCE_LENGTH);
  return base32(nowMs, TIME_LENGTH) + sequence + newNonce() + INDEX_TEXT[0];
}

/** A new random nonce for a block. */
export function newNonce(): string {
  return base32(random32() % 2 ** 30, NONCE_LENGTH);
}

/** Drawn many at a time: to draw a few bytes takes as long as to draw thousands. */
const pool = Buffer.alloc(4_096);
let drawn = pool.length;

function random32(): number {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  drawn += 4;
  return pool.readUInt32BE(drawn - 4);
}

/** Names one run of a broker process: 64 random bits, so that the leases of a former run are never taken for its own. */
export function newBrokerId(): string {
  const random = randomBytes(8);
  return base32(random.readUInt32BE(0), 7) + base32(random.readUInt32BE(4), 7);
}

const tags = new Map<string, string>();

/** The nine letters that stand for a queue in ids and tokens: its partition (always 0 so far), and 40 bits of its name's SHA-256. */
export function queueTag(queue: string): string {
  let tag = tags.get(queue);
  if (tag === undefined) {
    const hash = createHash("sha256").update(queue).digest();
    tag = `0${base32(hash.readUIntBE(0, 5), TAG_LENGTH - 1)}`;
    // Names come from callers: the cache must not grow without bound.
    if (tags.size >= 10_000) tags.clear();
    tags.set(queue, tag);
  }
  return tag;
}

/** The id that callers see. */
export function taskId(queue: string, key: string): string {
  return key.startsWith("=") ? key.slice(1) : queueTag(queue) + key;
}

/** The parts of an id made by a store; undefined when it does not have that form, so that it must be a caller's. */
export function parseTaskId(id: string): { readonly tag: string; readonly key: string } | undefined {
  if (id.length !== ID_LENGTH || !/^[0-9A-HJKMNP-TV-Z]+$/.test(id)) return undefined;
  return { tag: id.slice(0, TAG_LENGTH), key: id.slice(TAG_LENGTH) };
}

/** The key of a task whose id its caller chose. */
export function callerKey(id: string): string {
  return `=${id}`;
}

/** What a type, queue, worker id or caller's task id may consist of. Types may also have `/`. */
export const NAME_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;
export const TYPE_PATTERN = /^[A-Za-z0-9._/-]{1,128}$/;
