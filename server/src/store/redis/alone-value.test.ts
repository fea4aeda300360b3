import fc from "fast-check";
import { expect, test } from "vitest";
import { eachBody } from "../bodies.ts";
import type { AloneRecord } from "../records.ts";
import type { Attempt } from "../store.ts";
import { bodiesAt, bodyOf, decodeMeta, decodeValue, encodeMeta, encodeValue } from "./alone-value.ts";

const attempt: fc.Arbitrary<Attempt> = fc
  .record({
    attempt: fc.integer({ min: 1, max: 1_001 }),
    outcome: fc.constantFrom("failed" as const, "lost" as const, "cancelled" as const),
    waitMs: fc.nat(),
    failure: fc.record({
      type: fc.string(),
      message: fc.string(),
      stack: fc.string(),
      durationMs: fc.nat(),
      workerId: fc.string(),
    }),
    endedAtMs: fc.nat(2 ** 48 - 1),
  })
  .map(({ failure, ...rest }) => ({ ...rest, failure, durationMs: failure.durationMs, workerId: failure.workerId }));

const aloneRecord: fc.Arbitrary<AloneRecord> = fc.record({
  body: fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  hasOptions: fc.boolean(),
  priority: fc.integer({ min: -1_000_000, max: 1_000_000 }),
  attempt: fc.integer({ min: 1, max: 1_001 }),
  lostCount: fc.nat(1_000),
  enqueuedAtMs: fc.nat(2 ** 48 - 1),
  runAtMs: fc.nat(2 ** 48 - 1),
  attempts: fc.array(attempt, { maxLength: 3 }),
});

test("a value reads back", () => {
  fc.assert(
    fc.property(aloneRecord, (record) => {
      expect(decodeValue(encodeValue(record))).toEqual(record);
    }),
  );
});

test("values in a row are read one after the other, each where the body of the one before it ends", () => {
  fc.assert(
    fc.property(fc.array(aloneRecord, { maxLength: 5 }), (records) => {
      const row = Buffer.concat(records.map(encodeValue));

      let at = 0;
      for (const { body, ...meta } of records) {
        expect(decodeMeta(row, at)).toMatchObject(meta);
        const start = bodiesAt(row, at);
        const bodies: Buffer[] = [];
        const ends: number[] = [];
        eachBody(row.subarray(start), (from, to) => {
          bodies.push(row.subarray(start + from, start + to));
          ends.push(start + to);
        });
        expect(bodies[0]).toEqual(body);
        at = ends[0] ?? 0;
      }
      expect(at).toBe(row.length);
    }),
  );
});

test("the meta data goes before a body as it stood, whatever its record says of one", () => {
  fc.assert(
    fc.property(aloneRecord, aloneRecord, (before, after) => {
      const old = encodeValue(before);
      const value = Buffer.concat([encodeMeta(after), old.subarray(bodiesAt(old))]);

      expect(decodeValue(value)).toEqual({ ...after, body: before.body });
      expect(bodyOf(value)).toEqual(before.body);
    }),
  );
});
