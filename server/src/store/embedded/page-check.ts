/**
 * Walks the pages of an LMDB file (data version 2 of lmdb 3.5, little-endian). LMDB trusts what pages tell of each other,
 * and a broken number there kills the process instead of failing the call; so what it would follow is checked before.
 * The content of records is not looked at: it has checksums.
 */
import { readSync } from "node:fs";
import { DamageError } from "./disk.ts";

export const PAGE_HEADER = 24;
const FLAGS_AT = 18;
const LOWER_AT = 20;
const OVERFLOW_PAGES_AT = 20;
const NODE_HEADER = 8;
const BRANCH = 1;
const LEAF = 2;
const OVERFLOW = 4;
/** The data of the node is on pages of its own. */
const BIG_DATA = 1;
const MAX_DEPTH = 32;

export interface Tree {
  readonly root: number;
  readonly depth: number;
  readonly entries: number;
}

export interface PagedFile {
  readonly file: number;
  readonly pageSize: number;
  readonly lastPage: number;
}

/** @throws DamageError when a page of the tree is not what it must be */
export function checkTree(paged: PagedFile, { root, depth, entries }: Tree): void {
  if (depth > MAX_DEPTH || depth > 0 !== root > 0) throw new DamageError("the root of a tree is wrong");
  const found = depth === 0 ? 0 : checkPage(paged, root, depth);
  if (found !== entries) throw new DamageError(`a tree should have ${entries} records, but has ${found}`);
}

/** Returns how many records are under the page. */
function checkPage(paged: PagedFile, number: number, depth: number): number {
  const page = readPage(paged, number, paged.pageSize);
  const flags = page.readUInt16LE(FLAGS_AT) & (BRANCH | LEAF | OVERFLOW);
  if (flags !== (depth === 1 ? LEAF : BRANCH)) throw broken(number);
  let entries = 0;
  const count = page.readUInt16LE(LOWER_AT) >> 1;
  if (count === 0 || PAGE_HEADER + 2 * count > page.length) throw broken(number);
  for (let i = 0; i < count; i++) {
    const at = PAGE_HEADER + page.readUInt16LE(PAGE_HEADER + 2 * i);
    if (at < PAGE_HEADER + 2 * count || at + NODE_HEADER > page.length) throw broken(number);
    const keyEnd = at + NODE_HEADER + page.readUInt16LE(at + 6);
    if (keyEnd > page.length) throw broken(number);
    entries +=
      depth === 1 ? checkLeafNode(paged, page, number, at, keyEnd) : checkPage(paged, childOf(page, at), depth - 1);
  }
  return entries;
}

function childOf(page: Buffer, at: number): number {
  return page.readUInt32LE(at) + page.readUInt16LE(at + 4) * 2 ** 32;
}

function checkLeafNode(paged: PagedFile, page: Buffer, number: number, at: number, keyEnd: number): number {
  const size = page.readUInt32LE(at);
  const flags = page.readUInt16LE(at + 4);
  if (flags === 0 && keyEnd + size <= page.length) return 1;
  if (flags !== BIG_DATA || keyEnd + 8 > page.length) throw broken(number);
  const first = Number(page.readBigUInt64LE(keyEnd));
  const header = readPage(paged, first, PAGE_HEADER);
  const pages = header.readUInt32LE(OVERFLOW_PAGES_AT);
  const isWhole = pages >= Math.ceil((PAGE_HEADER + size) / paged.pageSize) && first + pages - 1 <= paged.lastPage;
  if (!(header.readUInt16LE(FLAGS_AT) & OVERFLOW) || !isWhole) throw broken(first);
  return 1;
}

function readPage({ file, pageSize, lastPage }: PagedFile, number: number, length: number): Buffer {
  if (!(number >= 2 && number <= lastPage)) throw broken(number);
  const page = Buffer.allocUnsafe(length);
  const read = readSync(file, page, 0, length, number * pageSize);
  if (read !== length || Number(page.readBigUInt64LE(0)) !== number) throw broken(number);
  return page;
}

function broken(number: number): DamageError {
  return new DamageError(`page ${number} is broken`);
}
