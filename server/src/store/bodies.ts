/** Bodies in a row, each after its length: how tasks stand in a block, and in a grant. */
import { VarintReader, varintLength, writeVarint } from "../lib/varint.ts";

export function joinBodies(bodies: readonly Uint8Array[]): Buffer {
  let size = 0;
  for (const body of bodies) size += varintLength(body.length) + body.length;
  const joined = Buffer.allocUnsafe(size);
  let at = 0;
  for (const body of bodies) {
    at = writeVarint(joined, at, body.length);
    joined.set(body, at);
    at += body.length;
  }
  return joined;
}

/** Calls `visit` with the bounds of each body. */
export function eachBody(joined: Uint8Array, visit: (start: number, end: number) => void): void {
  const reader = new VarintReader(joined);
  while (reader.at < joined.length) {
    const length = reader.next();
    const start = reader.at;
    visit(start, start + length);
    reader.at = start + length;
  }
}

/** The nth body, as a view. */
export function bodyAt(joined: Buffer, n: number): Buffer {
  const reader = new VarintReader(joined);
  for (let skip = n; ; skip--) {
    const length = reader.next();
    if (skip === 0) return joined.subarray(reader.at, reader.at + length);
    reader.at += length;
  }
}
