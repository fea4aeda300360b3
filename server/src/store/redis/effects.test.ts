import { describe, expect, test } from "vitest";
import type { Lease } from "../../domain/lease.ts";
import { type AloneRecord, findResult } from "../records.ts";
import type { Outcome, Settlement } from "../store.ts";
import { planEntry } from "./effects.ts";
import { BlockLease } from "./held-lease.ts";
import type { Argument } from "./script.ts";

const ACK: Outcome = { kind: "ack", result: undefined, durationMs: 3, workerId: "host-1" };
const RELEASE: Outcome = { kind: "release" };
const LOSE: Outcome = {
  kind: "lose",
  failure: { type: "worker_lost", message: "gone", stack: "", durationMs: 5, workerId: "host-1" },
};

describe("the plan of a lease on a whole block", () => {
  test("deletes the block, without counting, with its last task", () => {
    const held = new BlockLease("b 1-0 ABCDEF 0 3 3 -w");

    const first = plan(held, { 1: ACK });
    const last = plan(held, { 0: ACK, 2: ACK });

    expect(kinds(first.effects)).toEqual(["r", "c"]);
    expect(first.following).toBe("b 1-0 ABCDEF 0 3 3 -w 00000005000000000000000000000000");
    expect(kinds(last.effects)).toEqual(["x", "r", "c"]);
    expect(last.head).toEqual(["l", "9", first.following, "", 3]);
  });

  test("counts what has ended from the moment that a task is released", () => {
    const held = new BlockLease("b 1-0 ABCDEF 0 5 5 -w");

    plan(held, { 0: ACK });
    const released = plan(held, { 1: ACK, 2: RELEASE, 3: RELEASE });
    const last = plan(held, { 4: ACK });

    expect(released.effects).toEqual(expect.arrayContaining(["b", "b 1-0 ABCDEF 2 2 5 --"]));
    expect(after(released.effects, "f", 3)).toEqual(["1-0", 2, 5]);
    expect(after(last.effects, "f", 3)).toEqual(["1-0", 1, 5]);
  });

  test("puts neighbours back as one range, others apart", () => {
    const { effects } = plan(new BlockLease("b 1-0 ABCDEF 0 5 5 o-"), { 3: RELEASE, 0: RELEASE, 1: RELEASE });

    expect(effects.filter((arg) => typeof arg === "string" && arg.startsWith("b 1-0"))).toEqual([
      "b 1-0 ABCDEF 0 2 5 o-",
      "b 1-0 ABCDEF 3 1 5 o-",
    ]);
  });

  test("lets a lost task stand alone under the same key, and the rest of the block be", () => {
    const { effects } = plan(new BlockLease("b 1-0 ABCDEF 0 2 2 -w"), { 1: LOSE });

    expect(kinds(effects)).toEqual(["m", "c", "c", "c"]);
    const [id, index, key, , state, to, rank] = after(effects, "m", 7);
    expect([id, index, key, state, to, rank]).toEqual(["1-0", 1, "BLOCK01", "rlBROKER:9", "f", ""]);
  });
});

test("few results are kept in small records, so that the cap can be exact", () => {
  const held = new BlockLease("b 1-0 ABCDEF 0 5 5 -w");
  const { effects } = plan(held, { 0: ACK, 1: ACK, 2: ACK, 3: ACK, 4: ACK }, 2);

  expect(kinds(effects)).toEqual(["x", "r", "r", "r", "c"]);
  const records = effects.filter((arg) => Buffer.isBuffer(arg));
  expect(records.map((record, i) => findResult(record, i * 2)?.workerId)).toEqual(["host-1", "host-1", "host-1"]);
});

test("a task alone that is completed is one entry without effects, which holds its result", () => {
  const key = `${"A".repeat(20)}05`;
  const record: AloneRecord = {
    body: Buffer.alloc(0),
    hasOptions: false,
    priority: 0,
    attempt: 2,
    lostCount: 1,
    enqueuedAtMs: 1,
    runAtMs: 0,
    attempts: [],
  };
  const lease: Lease = { queue: "email", broker: "BROKER", sequence: 9, block: key, alone: true, attempt: 2 };
  const settlements = [{ lease, index: 0, outcome: ACK }];
  const held = { kind: "alone", key, record } as const;

  const entry = planEntry({ lease, held, expected: `a ${key}`, settlements, nowMs: 1_000, resultShare: 1 });

  const [kind, field, expected, result, effects] = entry.head;
  expect([kind, field, expected, effects, entry.following]).toEqual(["a", "9", `a ${key}`, 0, ""]);
  expect(entry.endedKeys()).toEqual([key]);
  const found = findResult(result as Buffer, 5);
  expect(found).toMatchObject({ success: true, attempt: 2, lostCount: 1, endedAtMs: 1_000, sequence: 9 });
});

function plan(held: BlockLease, outcomes: Record<number, Outcome>, resultShare = 1_000) {
  const lease: Lease = { queue: "email", broker: "BROKER", sequence: 9, block: "BLOCK", alone: false, attempt: 1 };
  const settlements = Object.entries(outcomes).map(([index, outcome]): Settlement => {
    return { lease, index: Number(index), outcome };
  });
  return planEntry({ lease, held, expected: held.text(), settlements, nowMs: 1_000, resultShare });
}

const ARGUMENTS: Record<string, number> = { x: 1, f: 3, r: 3, e: 1, m: 7, b: 1, c: 2, t: 1 };

function kinds(effects: readonly Argument[]): string[] {
  const found: string[] = [];
  for (let at = 0; at < effects.length; at += 1 + (ARGUMENTS[String(effects[at])] ?? 0))
    found.push(String(effects[at]));
  return found;
}

function after(effects: readonly Argument[], kind: string, count: number): readonly Argument[] {
  const at = effects.indexOf(kind);
  return effects.slice(at + 1, at + 1 + count);
}
