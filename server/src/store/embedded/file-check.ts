/**
 * Looks at the file before LMDB maps it into memory: there, a broken page, or one past the end of a file that was cut,
 * would kill the process.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import { DamageError } from "./disk.ts";
import { checkTree, PAGE_HEADER, type Tree } from "./page-check.ts";

const HEADER_LENGTH = 168;
const MAGIC = 0xbeefc0de;
const MAGIC_AT = PAGE_HEADER;
const VERSION_AT = MAGIC_AT + 4;
const DATA_VERSION = 2;
const FREE_TREE_AT = MAGIC_AT + 24;
const TREE_LENGTH = 48;
const LAST_PAGE_AT = FREE_TREE_AT + 2 * TREE_LENGTH;

interface Header {
  readonly pageSize: number;
  readonly lastPage: number;
  /** Which commit wrote it. */
  readonly commit: number;
  readonly trees: readonly Tree[];
}

/** @throws DamageError when the file is not one that can be opened */
export function checkFile(path: string): void {
  const file = openExisting(path);
  if (file === undefined) return;
  try {
    const { size } = fstatSync(file);
    if (size > 0) checkPages(file, size);
  } finally {
    closeSync(file);
  }
}

function openExisting(path: string): number | undefined {
  try {
    return openSync(path, "r+");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function checkPages(file: number, size: number): void {
  const first = readHeader(file, 0);
  const { pageSize } = first;
  const second = readHeader(file, pageSize);
  // Commits write the two in turn; the later one is in force.
  if (second.pageSize !== pageSize || Math.abs(first.commit - second.commit) > 1)
    throw new DamageError("its two headers do not fit together");
  const { lastPage, trees } = first.commit > second.commit ? first : second;
  // The last pages may be unused, and were then never written. LMDB may yet look at where they would be.
  if (size < (lastPage + 1) * pageSize) ftruncateSync(file, (lastPage + 1) * pageSize);
  for (const tree of trees) checkTree({ file, pageSize, lastPage }, tree);
}

function readHeader(file: number, at: number): Header {
  const bytes = Buffer.alloc(HEADER_LENGTH);
  readSync(file, bytes, 0, HEADER_LENGTH, at);
  const pageSize = bytes.readUInt32LE(FREE_TREE_AT);
  const isOurs = bytes.readUInt32LE(MAGIC_AT) === MAGIC && bytes.readUInt16LE(VERSION_AT) === DATA_VERSION;
  if (!isOurs || pageSize < 512 || pageSize > 65_536) throw new DamageError("its header is not that of a store");
  return {
    pageSize,
    lastPage: readNumber(bytes, LAST_PAGE_AT),
    commit: readNumber(bytes, LAST_PAGE_AT + 8),
    trees: [FREE_TREE_AT, FREE_TREE_AT + TREE_LENGTH].map((treeAt) => readTree(bytes, treeAt)),
  };
}

const NO_ROOT = 2n ** 64n - 1n;

function readTree(bytes: Buffer, at: number): Tree {
  const root = bytes.readBigUInt64LE(at + 40);
  return {
    root: root === NO_ROOT ? 0 : Number(root),
    depth: bytes.readUInt16LE(at + 6),
    entries: readNumber(bytes, at + 32),
  };
}

function readNumber(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
