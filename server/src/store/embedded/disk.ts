/**
 * How records are named and sealed on disk: README.md has the table. A key is a letter, the number of its queue, and a
 * name; a value begins with a checksum over key and content, so that no damage passes for data.
 */
import { crc32 } from "../../lib/crc32.ts";

/** The letters of the kinds of record. */
export const KIND = {
  alone: "a",
  block: "b",
  counters: "c",
  format: "f",
  resultIndex: "i",
  left: "l",
  sample: "m",
  producer: "p",
  queue: "q",
  result: "r",
  steering: "s",
  type: "t",
} as const;

export type Kind = (typeof KIND)[keyof typeof KIND];

const NAME_AT = 5;
/** Where the content of a value begins: after its checksum. */
export const CONTENT_AT = 4;

export function diskKey(kind: Kind, queueId: number, name: string): Buffer {
  const key = Buffer.allocUnsafe(NAME_AT + name.length);
  key.write(kind, 0, "latin1");
  key.writeUInt32BE(queueId, 1);
  key.write(name, NAME_AT, "latin1");
  return key;
}

export function nameOf(key: Buffer): string {
  return key.toString("latin1", NAME_AT);
}

export function queueIdOf(key: Buffer): number {
  return key.readUInt32BE(1);
}

/** Content under a checksum. */
export function seal(key: Uint8Array, content: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(CONTENT_AT + content.length);
  value.set(content, CONTENT_AT);
  return sealInPlace(key, value);
}

/** Puts the checksum in front of the content, which begins at `CONTENT_AT`. */
export function sealInPlace(key: Uint8Array, value: Buffer): Buffer {
  value.writeUInt32BE(crc32(contentOf(value), crc32(key)), 0);
  return value;
}

/** The content of a sealed value that is known to be sound, as a view. */
export function contentOf(value: Buffer): Buffer {
  return value.subarray(CONTENT_AT);
}

/** The content, as a view. @throws DamageError when the checksum is wrong */
export function unseal(key: Uint8Array, value: Buffer): Buffer {
  const content = contentOf(value);
  if (value.length < CONTENT_AT || value.readUInt32BE(0) !== crc32(content, crc32(key))) {
    const name = JSON.stringify(Buffer.from(key).toString("latin1"));
    throw new DamageError(`the record ${name} does not match its checksum`);
  }
  return content;
}

/** What is on disk is not what was written. */
export class DamageError extends Error {
  override readonly name = "DamageError";
}
