import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../domain/limits.ts";
import { attemptOf, decodeAttempts, encodeAttempts, failedAttempt, keepAttempt, lastFailureOf } from "./attempts.ts";
import type { Attempt } from "./store.ts";

const BEGUN = { attempt: 2, enqueuedAtMs: 1_000, runAtMs: 0 };

function failure(message = "no", stack = "") {
  return { type: "Error", message, stack, durationMs: 300, workerId: "w-1" };
}

function attempts(count: number, message?: string): Attempt[] {
  return Array.from({ length: count }, (_, i) =>
    failedAttempt({ ...BEGUN, attempt: i + 1 }, "failed", failure(message), 2_000),
  );
}

describe("an attempt", () => {
  test("waited from when its task was ready until it was delivered", () => {
    expect(failedAttempt(BEGUN, "failed", failure(), 2_000)).toMatchObject({
      attempt: 2,
      waitMs: 700,
      durationMs: 300,
    });
  });

  test("waited from when its task was due, when it was scheduled", () => {
    expect(failedAttempt({ ...BEGUN, runAtMs: 1_600 }, "lost", failure(), 2_000).waitMs).toBe(100);
  });

  test("that completed has no failure", () => {
    const result = {
      success: true,
      result: undefined,
      failure: undefined,
      durationMs: 5,
      workerId: "w",
      endedAtMs: 1_105,
    };

    expect(attemptOf(BEGUN, result)).toMatchObject({ outcome: "completed", failure: undefined, waitMs: 100 });
  });
});

describe("what is kept", () => {
  test("is the newest, first", () => {
    const [newest, ...others] = attempts(LIMITS.attemptsKept + 5).reverse();
    const kept = newest ? keepAttempt(newest, others) : [];

    expect(kept).toHaveLength(LIMITS.attemptsKept);
    expect(kept[0]).toBe(newest);
  });

  test("is less when errors are long, but always the newest", () => {
    const [newest, ...others] = attempts(5, "x".repeat(LIMITS.attemptsLength / 2 - 10));

    expect(newest && keepAttempt(newest, others)).toHaveLength(2);
    const [huge] = attempts(1, "x".repeat(LIMITS.attemptsLength + 1));
    expect(huge && keepAttempt(huge, others)).toEqual([huge]);
  });

  test("tells the last failure, which a lost delivery is not", () => {
    const lost = failedAttempt(BEGUN, "lost", failure("gone"), 3_000);
    const [failed] = attempts(1);

    expect(lastFailureOf([lost, ...(failed ? [failed] : [])])).toMatchObject({ success: false, endedAtMs: 2_000 });
    expect(lastFailureOf([lost])).toBeUndefined();
  });

  test("reads as it was written", () => {
    const text = fc.string({ maxLength: 20 });
    const count = fc.nat({ max: 2 ** 45 });
    const one = fc
      .record({
        begun: fc.record({ attempt: count, enqueuedAtMs: count, runAtMs: count }),
        type: text,
        message: text,
        stack: text,
      })
      .map(({ begun, ...rest }) => failedAttempt(begun, "failed", { ...failure(), ...rest }, begun.enqueuedAtMs + 1));

    fc.assert(
      fc.property(fc.array(one), (list) => {
        expect(decodeAttempts(encodeAttempts(list))).toEqual(list);
      }),
    );
  });
});
