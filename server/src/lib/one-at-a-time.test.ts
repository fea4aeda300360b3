import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { OneAtATime } from "./one-at-a-time.ts";

/** Tells when each begins and ends. */
function told() {
  const turns = new OneAtATime();
  const lines: string[] = [];
  const act = (name: string, what: string, fails = false) =>
    turns.run(name, async () => {
      lines.push(`${what} begins`);
      await nextTurn();
      lines.push(`${what} ends`);
      if (fails) throw new Error(what);
      return what;
    });
  return { lines, act };
}

test("each begins when the one before has ended, well or not", async () => {
  const { lines, act } = told();

  const results = await Promise.allSettled([act("x", "a"), act("x", "b", true), act("x", "c")]);
  await act("x", "d");

  expect(lines).toEqual(["a", "b", "c", "d"].flatMap((what) => [`${what} begins`, `${what} ends`]));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

test("those of other names do not wait", async () => {
  const { lines, act } = told();

  await Promise.all([act("x", "a"), act("y", "b")]);

  expect(lines).toEqual(["a begins", "b begins", "a ends", "b ends"]);
});
