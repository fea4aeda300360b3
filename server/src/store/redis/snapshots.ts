/** What is told of a task, from each form in which it is kept. */
import { INDEX_TEXT } from "../../domain/ids.ts";
import type { TaskState } from "../../domain/state.ts";
import { lastFailureOf } from "../attempts.ts";
import { endedSnapshot } from "../ended-snapshot.ts";
import type { FoundResult } from "../records.ts";
import type { TaskSnapshot } from "../store.ts";
import { decodeValue } from "./alone-value.ts";
import { CANCELLED_WAITING } from "./moves.ts";
import { letterOf } from "./task-state.ts";

const STATES = { s: "scheduled", r: "ready", a: "active", d: "dead" } as const;

/** @param dueAtMs counts only while it is scheduled */
export function aloneSnapshot(
  { queue, key }: Pick<TaskSnapshot, "queue" | "key">,
  state: string,
  value: Buffer,
  dueAtMs: number,
): TaskSnapshot {
  const { body, attempt, lostCount, enqueuedAtMs, attempts } = decodeValue(value);
  const letter = letterOf(state);
  return {
    queue,
    key,
    state: STATES[letter],
    body,
    attempt,
    lostCount,
    enqueuedAtMs,
    runAtMs: letter === "s" ? dueAtMs : 0,
    lastResult: lastFailureOf(attempts),
    attempts,
  };
}

/** A task of a block that has not left it. */
export interface InBlock {
  readonly block: string;
  readonly index: number;
  readonly enqueuedAtMs: number;
  readonly body: Buffer;
}

export function blockSnapshot(
  queue: string,
  state: TaskState,
  { block, index, enqueuedAtMs, body }: InBlock,
): TaskSnapshot {
  return {
    queue,
    key: block + INDEX_TEXT[index],
    state,
    body,
    attempt: 1,
    lostCount: 0,
    enqueuedAtMs,
    runAtMs: 0,
    lastResult: undefined,
    attempts: [],
  };
}

/** @param enqueuedAtMs 0 when its key does not tell */
export function resultSnapshot(queue: string, key: string, enqueuedAtMs: number, found: FoundResult): TaskSnapshot {
  return endedSnapshot({ queue, key, enqueuedAtMs }, found, found.broker !== CANCELLED_WAITING.broker);
}
