import { expect, test } from "vitest";
import { durationText, judge } from "./failure.ts";
import { DEFAULT_OPTIONS } from "./options.ts";

test("a failed attempt is retried after the policy's delay, or the worker's own", () => {
  expect(judge(DEFAULT_OPTIONS, 2, undefined)).toEqual({ kind: "retry", delayMs: 4_000 });
  expect(judge(DEFAULT_OPTIONS, 2, 70)).toEqual({ kind: "retry", delayMs: 70 });
  expect(judge(DEFAULT_OPTIONS, 2, 0)).toEqual({ kind: "retry", delayMs: 0 });
});

test("out of retries a task is buried, whatever delay the worker asked for", () => {
  expect(judge(DEFAULT_OPTIONS, 4, undefined)).toEqual({ kind: "bury" });
  expect(judge(DEFAULT_OPTIONS, 4, 70)).toEqual({ kind: "bury" });
});

test("durations read as people write them", () => {
  expect([250, 1_500, 30_000, 1_234].map(durationText)).toEqual(["250ms", "1.5s", "30s", "1.234s"]);
});
