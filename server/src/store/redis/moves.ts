/** What a settlement, or the cancellation of an active task, makes of the record of its task, and what it records of its end. */
import { failedAttempt, keepAttempt } from "../attempts.ts";
import type { AloneRecord, ResultEntry } from "../records.ts";
import type { Failure, Outcome, Settlement } from "../store.ts";
import { encodeDeath } from "./failure-groups.ts";
import type { BlockLease } from "./held-lease.ts";
import type { Argument } from "./script.ts";

/** What takes a task from its lease: an outcome that was told with the lease, or a cancellation by someone without it. */
export type Move = Outcome | { readonly kind: "cancel"; readonly failure: Failure };

export type PlannedMove = Omit<Settlement, "outcome"> & { readonly outcome: Move };

/**
 * Who ended a task stands in its result. A cancelled one bears no lease, so that no settlement is taken for the repetition of it:
 * instead stands whether it waited, or was under way, when its last attempt is the cancellation.
 */
export const CANCELLED_WAITING = { broker: "", sequence: 0 } as const;
export const CANCELLED_ACTIVE = { broker: "-", sequence: 0 } as const;

const NO_BODY = new Uint8Array(0);

/** A task that leaves its block for the first time. */
export function freshRecord(held: BlockLease): AloneRecord {
  return {
    body: NO_BODY,
    hasOptions: held.hasOptions,
    priority: 0,
    attempt: 1,
    lostCount: 0,
    enqueuedAtMs: held.enqueuedAtMs,
    runAtMs: 0,
    attempts: [],
  };
}

/** @param move leaves the task alive, or dead */
export function recordAfter(record: AloneRecord, move: Move, nowMs: number): AloneRecord {
  switch (move.kind) {
    case "retry": {
      const attempts = keepAttempt(failedAttempt(record, "failed", move.failure, nowMs), record.attempts);
      return { ...record, attempt: record.attempt + 1, runAtMs: nowMs + move.delayMs, attempts };
    }
    case "bury":
      return {
        ...record,
        attempts: keepAttempt(failedAttempt(record, "failed", move.failure, nowMs), record.attempts),
      };
    case "snooze":
      return { ...record, runAtMs: nowMs + move.delayMs };
    case "lose": {
      if (!move.failure) return record;
      const attempts = keepAttempt(failedAttempt(record, "lost", move.failure, nowMs), record.attempts);
      return { ...record, lostCount: record.lostCount + 1, attempts };
    }
    case "release":
    case "ack":
    case "discard":
    case "cancel":
      return record;
  }
}

/** Where the task goes, and what the script has to know of that: see the effect "m" in settle.lua. */
export function destination(move: Move, rank: string, nowMs: number): readonly [to: string, argument: Argument] {
  if (move.kind === "retry" || move.kind === "snooze") return ["s", move.delayMs];
  return move.kind === "bury" ? ["d", encodeDeath(move.failure, nowMs)] : ["f", rank];
}

/** @param move ends the task */
export function toResult(move: Move, index: number): ResultEntry {
  if (move.kind === "ack") {
    const { durationMs, workerId, result } = move;
    return { index, durationMs, workerId, result, failure: undefined };
  }
  const { durationMs, workerId, ...failure } = failureOf(move);
  return { index, durationMs, workerId, result: undefined, failure };
}

function failureOf(move: Move): Failure {
  if ("failure" in move && move.failure) return move.failure;
  return { type: "", message: "", stack: "", durationMs: 0, workerId: "" };
}

/** What is counted for each. A bury may also drop tasks, and revoked are those of the cancelled that were active. */
export const MOVE_COUNTS: Readonly<Record<Move["kind"], readonly (readonly [string, number])[]>> = {
  ack: [["completed", 1]],
  discard: [
    ["failed", 1],
    ["discarded", 1],
  ],
  cancel: [
    ["cancelled", 1],
    ["revoked", 1],
  ],
  bury: [
    ["failed", 1],
    ["buried", 1],
  ],
  retry: [
    ["failed", 1],
    ["retried", 1],
  ],
  snooze: [["snoozed", 1]],
  release: [
    ["returned", 1],
    ["ready", 1],
  ],
  lose: [
    ["returned", 1],
    ["ready", 1],
  ],
};

export function endsTask({ kind }: Move): boolean {
  return kind === "ack" || kind === "discard" || kind === "cancel";
}
