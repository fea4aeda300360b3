import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SortedList } from "./sorted-list.ts";

const number = fc.nat({ max: 3_000 });

describe("a sorted list", () => {
  test("has its items in order, whatever is added and deleted", () => {
    const changes = fc.array(fc.tuple(fc.constantFrom("add", "add", "add", "delete", "shift"), number), {
      maxLength: 4_000,
      size: "max",
    });
    fc.assert(
      fc.property(changes, number, (steps, bound) => {
        const list = new SortedList<number>((a, b) => a - b);
        const expected = new Set<number>();
        for (const [verb, item] of steps) {
          if (verb === "add" && !expected.has(item)) {
            list.add(item);
            expected.add(item);
          }
          if (verb === "delete") expect(list.delete(item)).toBe(expected.delete(item));
          if (verb === "shift") {
            const least = expected.size > 0 ? Math.min(...expected) : undefined;
            expect(list.shift()).toBe(least);
            if (least !== undefined) expected.delete(least);
          }
        }
        const sorted = [...expected].sort((a, b) => a - b);
        expect([...list.up()]).toEqual(sorted);
        expect([...list.down(() => true)]).toEqual(sorted.toReversed());
        expect([...list.down((item) => item < bound)]).toEqual(sorted.filter((item) => item < bound).toReversed());
        expect(list.firstFrom((item) => item < bound)).toBe(sorted.find((item) => item >= bound));
        expect({ first: list.first(), last: list.last() }).toEqual({ first: sorted[0], last: sorted.at(-1) });
        expect(list.size).toBe(sorted.length);
      }),
      { numRuns: 30 },
    );
  });

  test("finds its place in many chunks", () => {
    const list = new SortedList<number>((a, b) => a - b);
    for (let i = 0; i < 10_000; i++) list.add((i * 7_919) % 10_007);

    const [first] = list.down((item) => item <= 5_000);

    expect(first).toBe([...list.up()].findLast((item) => item <= 5_000));
    expect([...list.up()]).toHaveLength(10_000);
  });
});
