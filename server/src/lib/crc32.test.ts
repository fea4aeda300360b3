import { expect, test } from "vitest";
import { crc32, tableCrc32 } from "./crc32.ts";

test.for([
  ["", 0],
  ["123456789", 0xcbf43926],
  ["The quick brown fox jumps over the lazy dog", 0x414fa339],
] as const)("the sum of %j is the known one, with Node's own and without", ([text, sum]) => {
  expect(crc32(Buffer.from(text))).toBe(sum);
  expect(tableCrc32(Buffer.from(text))).toBe(sum);
});

test("a sum goes on where another ended", () => {
  const [head, tail] = [Buffer.from("12345"), Buffer.from("6789")];

  for (const sum of [crc32, tableCrc32]) expect(sum(tail, sum(head))).toBe(0xcbf43926);
});
