import fc from "fast-check";
import { expect, test } from "vitest";
import { failedAttempt } from "./attempts.ts";
import { type AloneRecord, decodeAlone, encodeAlone, encodeResults, findResult, type ResultEntry } from "./records.ts";

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const failure = fc.record({ type: fc.string(), message: fc.string(), stack: fc.string() });
const workerId = fc.constantFrom("", "web-1", "web-2");

const attempt = fc
  .record({ number: fc.integer({ min: 1, max: 1_001 }), why: failure, workerId, endedAtMs: fc.nat(2 ** 48) })
  .map(({ number, why, workerId: worker, endedAtMs }) => {
    const begun = { attempt: number, enqueuedAtMs: 0, runAtMs: 0 };
    return failedAttempt(begun, "failed", { ...why, durationMs: 5, workerId: worker }, endedAtMs);
  });

const aloneRecord: fc.Arbitrary<AloneRecord> = fc.record({
  body: bytes,
  hasOptions: fc.boolean(),
  priority: fc.integer({ min: -1_000_000, max: 1_000_000 }),
  attempt: fc.integer({ min: 1, max: 1_001 }),
  lostCount: fc.nat(1_000),
  enqueuedAtMs: fc.nat(2 ** 48),
  runAtMs: fc.nat(2 ** 48),
  attempts: fc.array(attempt, { maxLength: 3 }),
});

test("the record of a task alone reads back", () => {
  fc.assert(
    fc.property(aloneRecord, (record) => {
      expect(decodeAlone(encodeAlone(record))).toEqual(record);
    }),
  );
});

const ending = fc.oneof(
  fc.record({ result: fc.option(bytes, { nil: undefined }), failure: fc.constant(undefined) }),
  fc.record({ result: fc.constant(undefined), failure }),
);
const entry = fc
  .record({ index: fc.nat(127), durationMs: fc.nat(), workerId, ending })
  .map(({ ending: { result, failure: failed }, ...rest }): ResultEntry => ({ ...rest, result, failure: failed }));

/** Some records of one block: no task ends twice. */
const block = fc
  .uniqueArray(entry, { selector: ({ index }) => index, maxLength: 128, size: "max" })
  .chain((entries) => fc.tuple(fc.constant(entries), fc.nat(entries.length)))
  .map(([entries, cut]) => [entries.slice(0, cut), entries.slice(cut)]);
const lease = fc.record({
  broker: fc.stringMatching(/^[0-9A-Z]{14}$/),
  sequence: fc.maxSafeNat(),
  attempt: fc.integer({ min: 1, max: 1_001 }),
  lostCount: fc.nat(1_000),
  endedAtMs: fc.nat(2 ** 48),
  earlier: fc.array(attempt, { maxLength: 2 }),
});

test("each result of a block is found, with the lease that it came from, in however many records they stand", () => {
  fc.assert(
    fc.property(block, lease, lease, ([first = [], second = []], one, other) => {
      const records = Buffer.concat([
        encodeResults({ ...one, entries: first }),
        encodeResults({ ...other, entries: second }),
      ]);

      for (const [entries, from] of [[first, one] as const, [second, other] as const]) {
        for (const { index, failure: failed, result, ...rest } of entries) {
          expect(findResult(records, index)).toEqual({
            ...from,
            ...rest,
            result,
            success: !failed,
            failure: failed && { ...failed, ...rest },
          });
        }
      }
    }),
  );
});

test("a task of the block that has not ended has no result", () => {
  const from = { broker: "B".repeat(14), sequence: 1, attempt: 1, lostCount: 0, endedAtMs: 5 };
  const ended = { index: 1, durationMs: 2, workerId: "web-1", result: undefined, failure: undefined };

  const records = encodeResults({ ...from, entries: [ended] });

  expect(findResult(records, 0)).toBeUndefined();
  // The number of another field must not be taken for an index.
  expect(findResult(records, 2)).toBeUndefined();
});

test("plain acks of one worker cost a few bytes each", () => {
  const from = { broker: "B".repeat(14), sequence: 1, attempt: 1, lostCount: 0, endedAtMs: 1_700_000_000_000 };
  const entries = Array.from({ length: 128 }, (_, index) => {
    return { index, durationMs: 120, workerId: "web-1-0a1b2c3d", result: undefined, failure: undefined };
  });

  expect(encodeResults({ ...from, entries }).length).toBeLessThan(128 * 4);
});
