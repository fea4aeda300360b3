import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_OPTIONS, DEFAULT_RETRY, type RetryPolicy, type TaskOptions } from "./options.ts";
import { retryDelayMs } from "./retry.ts";

const noJitter = () => 0;

function options(retry: Partial<RetryPolicy>, maxRetries = 1_000): TaskOptions {
  return { ...DEFAULT_OPTIONS, maxRetries, retry: { ...DEFAULT_RETRY, ...retry } };
}

function delays(taskOptions: TaskOptions, attempts: number): (number | undefined)[] {
  return Array.from({ length: attempts }, (_, i) => retryDelayMs(taskOptions, i + 1, noJitter));
}

test("by default there are three retries, after 1, 4 and 9 seconds", () => {
  expect(delays(DEFAULT_OPTIONS, 4)).toEqual([1_000, 4_000, 9_000, undefined]);
});

test("each policy grows in its own way, up to the longest delay", () => {
  const bounds = { baseMs: 100, maxMs: 500 };

  expect(delays(options({ backoff: "exponential", ...bounds }), 5)).toEqual([100, 200, 400, 500, 500]);
  expect(delays(options({ backoff: "linear", ...bounds }), 6)).toEqual([100, 200, 300, 400, 500, 500]);
  expect(delays(options({ backoff: "quadratic", ...bounds }), 4)).toEqual([100, 400, 500, 500]);
  expect(delays(options({ backoff: "fixed", ...bounds }), 3)).toEqual([100, 100, 100]);
});

test("a list is gone through, and its last delay serves all further retries", () => {
  expect(delays(options({ delaysMs: [10, 5_000, 20], maxMs: 1_000 }), 5)).toEqual([10, 1_000, 20, 20, 20]);
});

test("without a base there is no delay, however often it grew", () => {
  for (const attempt of [1, 42, 1_000]) {
    expect(retryDelayMs(options({ backoff: "exponential", baseMs: 0 }), attempt, noJitter)).toBe(0);
  }
});

test("without retries the first failure is the last", () => {
  expect(retryDelayMs(options({}, 0), 1, noJitter)).toBeUndefined();
});

const policy: fc.Arbitrary<RetryPolicy> = fc.record({
  backoff: fc.constantFrom("quadratic", "exponential", "linear", "fixed"),
  baseMs: fc.nat(10 ** 12),
  maxMs: fc.integer({ min: 1, max: 10 ** 12 }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  delaysMs: fc.array(fc.nat(10 ** 12), { maxLength: 32 }),
});
const random = fc.double({ min: 0, max: 1, noNaN: true });

test("a delay is a whole number from 0 to the longest delay, however often it grew", () => {
  fc.assert(
    fc.property(policy, fc.integer({ min: 1, max: 1_000 }), random, (retry, attempt, drawn) => {
      const delay = retryDelayMs(options(retry), attempt, () => drawn);

      expect(Number.isSafeInteger(delay)).toBe(true);
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThanOrEqual(retry.maxMs);
    }),
  );
});

test("jitter shortens a delay by at most its share", () => {
  fc.assert(
    fc.property(policy, fc.integer({ min: 1, max: 1_000 }), random, (retry, attempt, drawn) => {
      const full = retryDelayMs(options({ ...retry, jitter: 0 }), attempt, noJitter) ?? Number.NaN;
      const delay = retryDelayMs(options(retry), attempt, () => drawn);

      expect(delay).toBeLessThanOrEqual(full);
      expect(delay).toBeGreaterThanOrEqual(Math.floor(full * (1 - retry.jitter)));
    }),
  );
});

test("delays of a formula never get shorter", () => {
  fc.assert(
    fc.property(policy, fc.integer({ min: 1, max: 999 }), (retry, attempt) => {
      const growing = options({ ...retry, jitter: 0, delaysMs: [] });

      expect(retryDelayMs(growing, attempt + 1, noJitter)).toBeGreaterThanOrEqual(
        retryDelayMs(growing, attempt, noJitter) ?? Number.NaN,
      );
    }),
  );
});
