/** How a task alone stands in the hash `alone`: the length of its meta data (3 bytes), these, and the body as it came. */
import { type AloneRecord, decodeAlone, encodeAlone } from "../records.ts";

const LENGTH = 3;
const NO_BODY = new Uint8Array(0);

/** All but the body. The scripts put a body to it, which they take from where it was. */
export function encodeMeta(record: AloneRecord): Buffer {
  return encodeAlone(record.body.length === 0 ? record : { ...record, body: NO_BODY });
}

export function encodeValue(record: AloneRecord): Buffer {
  const meta = encodeMeta(record);
  const value = Buffer.allocUnsafe(LENGTH + meta.length + record.body.length);
  value.writeUIntBE(meta.length, 0, LENGTH);
  value.set(meta, LENGTH);
  value.set(record.body, LENGTH + meta.length);
  return value;
}

export function decodeValue(value: Buffer): AloneRecord {
  return { ...decodeMeta(value), body: bodyOf(value) };
}

/** Without the body. */
export function decodeMeta(value: Buffer): AloneRecord {
  return decodeAlone(value.subarray(LENGTH, bodyStart(value)));
}

export function bodyOf(value: Buffer): Buffer {
  return value.subarray(bodyStart(value));
}

function bodyStart(value: Buffer): number {
  return LENGTH + value.readUIntBE(0, LENGTH);
}
