/**
 * Looks at the file before LMDB maps it into memory: a read past the end of a file that was cut would kill the process. A
 * file shorter than its header tells is made as long as it was, with zeros, which then do not pass for records.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import { DamageError } from "./disk.ts";

const HEADER_BYTES = 168;
const MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;

export function checkFile(path: string): void {
  let file: number;
  try {
    file = openSync(path, "r+");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    const expected = expectedSize(file, size);
    if (size < expected) ftruncateSync(file, expected);
  } finally {
    closeSync(file);
  }
}

/** What the two headers tell: one after the other is written, the later is in force. */
function expectedSize(file: number, size: number): number {
  const first = readHeader(file, 0);
  const pageSize = first.readUInt32LE(PAGE_SIZE_AT);
  if (first.readUInt32LE(MAGIC_AT) !== MAGIC || pageSize < 512 || size < 2 * pageSize)
    throw new DamageError("its header is not that of a store");
  const lastPages = [first, readHeader(file, pageSize)].map((header) => Number(header.readBigUInt64LE(LAST_PAGE_AT)));
  return (Math.max(...lastPages) + 1) * pageSize;
}

function readHeader(file: number, at: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  readSync(file, header, 0, HEADER_BYTES, at);
  return header;
}
