import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { OneAtATime } from "./one-at-a-time.ts";

test("each begins when the one before has ended, well or not", async () => {
  const turns = new OneAtATime();
  const told: string[] = [];
  const act = (name: string, fails = false) =>
    turns.run(async () => {
      told.push(`${name} begins`);
      await nextTurn();
      told.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });

  const results = await Promise.allSettled([act("a"), act("b", true), act("c")]);

  expect(told).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});
