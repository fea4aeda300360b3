import { type Duration, RetryPolicy_Backoff, Task } from "@taskwire/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS, DEFAULT_RETRY } from "./options.ts";
import { retryDelayMs } from "./retry.ts";
import { eachField, readOptions, readType, TASK_FIELD } from "./task-body.ts";

function bodyOf(task: Partial<Task>): Buffer {
  return Buffer.from(Task.encode(Task.fromPartial(task)).finish());
}

function duration(ms: number): Duration {
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 };
}

const ms = fc.nat(10 ** 9);

describe("options", () => {
  test("of a plain task are the defaults", () => {
    expect(readOptions(bodyOf({ type: "email", payload: Buffer.from("x") }))).toEqual(DEFAULT_OPTIONS);
  });

  test("zero retries are zero, not the default", () => {
    expect(readOptions(bodyOf({ type: "email", maxRetries: 0 })).maxRetries).toBe(0);
  });

  test("are read as the contract encodes them", () => {
    const options = fc.record({
      maxRetries: fc.nat(1_000),
      base: ms,
      max: ms,
      jitter: fc.double(),
      delays: fc.array(ms),
    });

    fc.assert(
      fc.property(options, ms, ({ maxRetries, base, max, jitter, delays }, timeout) => {
        const body = bodyOf({
          maxRetries,
          timeout: duration(timeout),
          retry: {
            backoff: RetryPolicy_Backoff.EXPONENTIAL,
            base: duration(base),
            max: duration(max),
            jitter,
            delays: delays.map(duration),
          },
        });

        expect(readOptions(body)).toEqual({
          maxRetries,
          timeoutMs: timeout,
          // A jitter of -0 is not encoded.
          retry: { backoff: "exponential", baseMs: base, maxMs: max, jitter: jitter + 0, delaysMs: delays },
        });
      }),
    );
  });

  test("delays that are listed are not cut by a longest delay that nobody asked for", () => {
    const dayMs = 24 * 60 * 60 * 1_000;
    const firstDelayMs = (max: Duration | undefined) => {
      const policy = { backoff: RetryPolicy_Backoff.UNSPECIFIED, base: undefined, jitter: 0 };
      const retry = { ...policy, max, delays: [duration(dayMs)] };
      return retryDelayMs(readOptions(bodyOf({ retry })), 1, () => 0);
    };

    expect(firstDelayMs(undefined)).toBe(dayMs);
    expect(firstDelayMs(duration(60_000))).toBe(60_000);
  });

  test.each([
    [RetryPolicy_Backoff.UNSPECIFIED, "quadratic"],
    [RetryPolicy_Backoff.QUADRATIC, "quadratic"],
    [RetryPolicy_Backoff.EXPONENTIAL, "exponential"],
    [RetryPolicy_Backoff.LINEAR, "linear"],
    [RetryPolicy_Backoff.FIXED, "fixed"],
  ] as const)("backoff %i of the contract is %s", (backoff, expected) => {
    const retry = { backoff, base: undefined, max: undefined, jitter: 0, delays: [] };

    expect(readOptions(bodyOf({ retry })).retry).toEqual({ ...DEFAULT_RETRY, backoff: expected });
  });
});

test("the type is read wherever it stands, and may be missing", () => {
  expect(readType(bodyOf({ type: "mail.v1.Mail/Send", payload: Buffer.alloc(300), headers: { a: "b" } }))).toBe(
    "mail.v1.Mail/Send",
  );
  expect(readType(Buffer.concat([bodyOf({ payload: Buffer.alloc(9) }), bodyOf({ type: "late" })]))).toBe("late");
  expect(readType(Buffer.alloc(0))).toBe("");
});

describe("fields", () => {
  const task = fc.record({
    type: fc.string(),
    payload: fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    priority: fc.integer(),
    headers: fc.dictionary(fc.string(), fc.string()),
  });

  test("of a task are all visited, with the bounds of their bytes", () => {
    fc.assert(
      fc.property(task, (given) => {
        const body = bodyOf(given);
        let payload: Buffer = Buffer.alloc(0);

        const isMessage = eachField(body, 0, body.length, ({ number, start, end }) => {
          if (number === TASK_FIELD.payload) payload = body.subarray(start, end);
        });

        expect(isMessage).toBe(true);
        expect(payload.equals(given.payload)).toBe(true);
      }),
    );
  });

  test("that are cut are not a message, and no bytes make the reader throw or pass its end", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const isMessage = eachField(bytes, 0, bytes.length, ({ start, end }) => {
          expect(start).toBeLessThanOrEqual(end);
          expect(end).toBeLessThanOrEqual(bytes.length);
        });
        expect(typeof isMessage).toBe("boolean");
      }),
    );
    const cut = bodyOf({ payload: Buffer.alloc(10) }).subarray(0, -1);
    expect(eachField(cut, 0, cut.length, () => {})).toBe(false);
  });
});
