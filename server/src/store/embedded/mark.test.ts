import { expect, test } from "vitest";
import { hasLeft, LEFT_EARLIER, leftMarkOf, markFate, markOf, markSequence } from "./mark.ts";

test.for([1, 2, 2 ** 31, 2 ** 48])("a mark tells lease %i, its fate, and whether the task left", (sequence) => {
  for (const fate of ["held", "ack", "retry", "bury", "discard", "release", "snooze", "lose"] as const) {
    const here = markOf(sequence, fate);
    const left = leftMarkOf(sequence, fate);

    expect([markSequence(here), markFate(here), hasLeft(here)]).toEqual([sequence, fate, false]);
    expect([markSequence(left), markFate(left), hasLeft(left)]).toEqual([sequence, fate, true]);
  }
});

test("a task that left before this process began has no lease of it", () => {
  expect(hasLeft(LEFT_EARLIER)).toBe(true);
  expect(markSequence(LEFT_EARLIER)).toBe(0);
});
