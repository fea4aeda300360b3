import { describe, expect, it } from "vitest";
import { Bury, Discard, Retry, Snooze } from "./errors.ts";
import { DONE, outcomeOfError, outcomeOfValue } from "./outcome.ts";

describe("outcomeOfValue", () => {
  it("keeps bytes as they are, writes the rest as JSON, and nothing for undefined", () => {
    const bytes = new Uint8Array([1, 2]);

    expect(outcomeOfValue(undefined)).toBe(DONE);
    expect(outcomeOfValue(() => {})).toBe(DONE);
    expect(outcomeOfValue(bytes)).toEqual({ kind: "ack", result: bytes });
    expect(outcomeOfValue(null)).toEqual({ kind: "ack", result: Buffer.from("null") });
    expect(outcomeOfValue({ a: "ä" })).toEqual({ kind: "ack", result: Buffer.from('{"a":"ä"}') });
  });

  it("buries what cannot be kept, since the work is done and must not be repeated", () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;

    expect(outcomeOfValue(circular)).toMatchObject({ kind: "bury", errorType: "InvalidResult" });
    expect(outcomeOfValue(10n)).toMatchObject({ kind: "bury", message: expect.stringContaining("BigInt") });
    expect(outcomeOfValue(new Uint8Array(1024 * 1024 + 1))).toMatchObject({
      kind: "bury",
      message: "the result has 1048577 bytes, at most 1048576 are kept",
    });
    expect(outcomeOfValue(new Uint8Array(1024 * 1024))).toMatchObject({ kind: "ack" });
  });
});

function failureOf(error: unknown) {
  const outcome = outcomeOfError(error);
  if (!("stack" in outcome)) throw new Error(`a failure ended as ${outcome.kind}`);
  return outcome;
}

describe("outcomeOfError", () => {
  it("does what the error asks for", () => {
    const stack = expect.stringContaining("    at ");
    expect(outcomeOfError(new Retry(1_500, "later"))).toEqual({
      kind: "retry",
      afterMs: 1_500,
      errorType: "Retry",
      message: "later",
      stack,
    });
    expect(outcomeOfError(new Retry({ after: 20 }))).toMatchObject({ kind: "retry", afterMs: 20 });
    expect(outcomeOfError(new Retry({ after: new Date(0) }))).toMatchObject({ kind: "retry", afterMs: 0 });
    expect(outcomeOfError(new Discard("gone"))).toEqual({
      kind: "discard",
      errorType: "Discard",
      message: "gone",
      stack,
    });
    expect(outcomeOfError(new Bury("bad"))).toEqual({ kind: "bury", errorType: "Bury", message: "bad", stack });
    expect(outcomeOfError(new Snooze(100))).toEqual({ kind: "snooze", afterMs: 100 });
  });

  it("takes anything else for a failed attempt and names its class", () => {
    class SmtpError extends Error {}

    expect(outcomeOfError(new SmtpError("down"))).toEqual({
      kind: "retry",
      afterMs: undefined,
      errorType: "SmtpError",
      message: "down",
      stack: expect.any(String),
    });
    expect(outcomeOfError(new TypeError("x"))).toMatchObject({ errorType: "TypeError" });
    expect(outcomeOfError("text")).toMatchObject({ kind: "retry", errorType: "string", message: "text" });
    expect(outcomeOfError(undefined)).toMatchObject({ kind: "retry", errorType: "undefined" });
    expect(outcomeOfError(Object.create(null))).toMatchObject({ kind: "retry", message: "{}" });
    expect(outcomeOfError(new Error("x".repeat(10_000)))).toMatchObject({ message: "x".repeat(4_096) });
  });

  it("tells where it went wrong, and what was behind it, without repeating the message", () => {
    const { stack } = failureOf(new Error("outer", { cause: new TypeError("inner") }));

    expect(stack).toMatch(/^ {4}at .*\n(?:.*\n)*caused by TypeError: inner\n {4}at /);
    expect(stack).not.toContain("outer");
    expect(failureOf("text").stack).toBe("");
    expect(failureOf(Object.assign(new Error("x"), { stack: "    at f\n".repeat(1_000) })).stack).toHaveLength(4_096);
  });

  it("refuses delays that make no sense", () => {
    expect(() => new Retry(-1, "x")).toThrow("Retry: after must be from 0 to 315360000000 ms, not -1");
    expect(() => new Snooze(Number.NaN)).toThrow(RangeError);
    expect(() => new Retry({ after: new Date(Number.NaN) })).toThrow(RangeError);
  });
});
