import { expect, test } from "vitest";
import { groupBy } from "./group-by.ts";

test("groups keep the order of their items, and stand in the order of their first", () => {
  const groups = groupBy([5, 2, 3, 8], (number) => (number % 2 === 0 ? "even" : "odd"));

  expect([...groups]).toEqual([
    ["odd", [5, 3]],
    ["even", [2, 8]],
  ]);
});
