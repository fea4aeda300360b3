import fc from "fast-check";
import { expect, test } from "vitest";
import { VarintReader, varintLength, writeVarint } from "./varint.ts";

const whole = fc.maxSafeNat();

test("what is written reads back, one after the other", () => {
  fc.assert(
    fc.property(fc.array(whole), (values) => {
      const bytes = new Uint8Array(values.reduce((size, value) => size + varintLength(value), 0));
      let at = 0;
      for (const value of values) at = writeVarint(bytes, at, value);
      expect(at).toBe(bytes.length);

      const reader = new VarintReader(bytes);

      expect(values.map(() => reader.next())).toEqual(values);
      expect(reader.at).toBe(bytes.length);
    }),
  );
});

test.each([
  [0, [0]],
  [127, [127]],
  [128, [128, 1]],
  [300, [172, 2]],
  [Number.MAX_SAFE_INTEGER, [255, 255, 255, 255, 255, 255, 255, 15]],
])("%d is written as protobuf writes it", (value, expected) => {
  const bytes = new Uint8Array(varintLength(value));

  writeVarint(bytes, 0, value);

  expect([...bytes]).toEqual(expected);
});

test("a varint that is cut is not a number", () => {
  fc.assert(
    fc.property(whole, (value) => {
      const bytes = new Uint8Array(varintLength(value));
      writeVarint(bytes, 0, value);

      expect(new VarintReader(bytes.subarray(0, -1)).next()).toBeNaN();
    }),
  );
});

test("a varint that does not end is not a number", () => {
  expect(new VarintReader(new Uint8Array(20).fill(255)).next()).toBeNaN();
});
