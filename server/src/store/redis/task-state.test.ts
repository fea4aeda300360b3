import { expect, test } from "vitest";
import type { Lease } from "../../domain/lease.ts";
import { letterOf, rankOf, stateAfter, wasLostFrom, wasMovedBy } from "./task-state.ts";

const LEASE: Lease = { queue: "email", broker: "BROKER", sequence: 12, block: "=a", alone: true, attempt: 1 };

test("a state tells which settlement led to it", () => {
  const state = stateAfter("retry", LEASE, "-5");

  expect(letterOf(state)).toBe("s");
  expect(wasMovedBy(state, "retry", LEASE)).toBe(true);
  expect(wasMovedBy(`r${state.slice(1)}`, "retry", LEASE), "also when it was promoted").toBe(true);
  expect(wasMovedBy(state, "snooze", LEASE)).toBe(false);
  expect(wasMovedBy(state, "retry", { ...LEASE, sequence: 1 })).toBe(false);
  expect(wasMovedBy("a-BROKER:12", "ack", LEASE)).toBe(false);
});

test("only a lost task that nobody claimed again takes a late ack", () => {
  expect(wasLostFrom(stateAfter("lose", LEASE, ""), LEASE)).toBe(true);
  expect(wasLostFrom(stateAfter("release", LEASE, ""), LEASE)).toBe(false);
  expect(wasLostFrom("a-BROKER:13", LEASE)).toBe(false);
});

test("a higher priority has a lower rank, and none has no rank", () => {
  expect([rankOf(5), rankOf(-5), rankOf(0)]).toEqual(["-5", "5", ""]);
});
