import fc from "fast-check";
import { expect, test } from "vitest";
import { Sketch } from "./sketch.ts";

const anyValues = fc.array(fc.oneof(fc.nat(100), fc.nat(100_000), fc.nat(2 ** 31 - 1)), { minLength: 1 });

test("a quantile is at most 1 part in 32 away from the number that has this rank", () => {
  fc.assert(
    fc.property(anyValues, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
      const sorted = [...values].sort((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? Number.NaN;

      expect(Math.abs(of(values).quantile(share) - exact)).toBeLessThanOrEqual(exact / 32);
    }),
  );
});

test("small numbers are told exactly", () => {
  const sketch = of([0, 1, 2, 3, 31]);

  expect([0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => sketch.quantile(share))).toEqual([0, 0, 1, 2, 3, 31]);
});

test("counts below powers of two are exact", () => {
  fc.assert(
    fc.property(anyValues, (values) => {
      const bounds = Array.from({ length: 31 }, (_, exponent) => 2 ** exponent);

      const exact = bounds.map((bound) => values.filter((value) => value < bound).length);

      expect(of(values).below(bounds)).toEqual(exact);
    }),
  );
});

test("merged, taken apart and encoded, nothing is lost", () => {
  fc.assert(
    fc.property(anyValues, anyValues, (some, others) => {
      const sketch = of(some);
      sketch.merge(of(others));

      expect(sketch.encode()).toEqual(of([...some, ...others]).encode());
      expect(sketch.since(of(some)).encode()).toEqual(of(others).encode());
      const copy = of(some);
      copy.mergeEncoded(of(others).encode());
      expect(copy.encode()).toEqual(sketch.encode());
      expect(copy.count).toBe(some.length + others.length);
    }),
  );
});

test("the same number many times is one addition", () => {
  const sketch = new Sketch();

  sketch.add(7, 100);

  expect(sketch.count).toBe(100);
  expect(sketch.sum).toBe(700);
});

test("what is out of range counts as the nearest that is in it, and fractions are cut", () => {
  const sketch = of([-5, 1e12, 2.9]);

  expect(sketch.quantile(0)).toBe(0);
  expect(sketch.quantile(0.5)).toBe(2);
  expect(sketch.quantile(1)).toBeGreaterThan(2 ** 30);
});

test("an empty one has no numbers", () => {
  expect(new Sketch().quantile(0.5)).toBe(0);
  expect(new Sketch().encode()).toEqual({ sum: 0, pairs: [] });
});

test("an encoded sketch of other buckets does not break anything", () => {
  const sketch = new Sketch();

  sketch.mergeEncoded({ sum: 9, pairs: [3, 1, 100_000, 5] });

  expect(sketch.count).toBe(1);
});

function of(values: readonly number[]): Sketch {
  const sketch = new Sketch();
  for (const value of values) sketch.add(value);
  return sketch;
}
