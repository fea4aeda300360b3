import * as zlib from "node:zlib";

/** CRC-32 as zip and PNG have it. `seed` is the sum of what went before. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return native ? native(bytes, seed) : tableCrc32(bytes, seed);
}

// Node has it from 20.15 on.
const native: typeof zlib.crc32 | undefined = zlib.crc32;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum;
});

/** The same where Node has none. */
export function tableCrc32(bytes: Uint8Array, seed = 0): number {
  let sum = ~seed;
  for (const byte of bytes) sum = (TABLE[(sum ^ byte) & 0xff] ?? 0) ^ (sum >>> 8);
  return ~sum >>> 0;
}
