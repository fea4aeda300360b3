/** What a call of the store did, added to what was measured. Loops without iterators or objects: every task passes them. */
import { TaskwireError } from "../domain/errors.ts";
import type { DeadMove, Enqueued, Grant, NewTask, Settled, Settlement } from "../store/store.ts";
import type { Measures, QueueMeasures, StoreError } from "./measures.ts";

/** A batch that was sent again is counted again: the store alone knows better. */
export function countEnqueued(
  measures: Measures,
  call: { readonly queue: string; readonly tasks: readonly NewTask[]; readonly answers: readonly Enqueued[] },
): void {
  const { queue, tasks, answers } = call;
  // Most calls have tasks of one type: they are counted by runs.
  let run = 0;
  for (let i = 0; i < tasks.length; i++) {
    const { type } = tasks[i] as NewTask;
    if (answers[i]?.kind === "created") run++;
    if (tasks[i + 1]?.type === type) continue;
    if (run > 0) measures.countEnqueued(queue, type, run);
    run = 0;
  }
}

export function countClaimed({ counts, wait }: QueueMeasures, grants: readonly Grant[], nowMs: number): void {
  for (const grant of grants) {
    counts.dequeued += grant.count;
    const readyAtMs = readyAtOf(grant);
    if (readyAtMs !== undefined) wait.add(nowMs - readyAtMs, grant.count);
  }
}

/** Undefined when it was delivered before: then its wait is no longer the one that people ask for. */
function readyAtOf({ attempt, lostCount, enqueuedAtMs, runAtMs }: Grant): number | undefined {
  return attempt > 1 || lostCount > 0 ? undefined : Math.max(enqueuedAtMs, runAtMs);
}

export function countSettled(
  queue: QueueMeasures,
  call: { readonly settlements: readonly Settlement[]; readonly answers: readonly Settled[]; readonly nowMs: number },
): void {
  const { settlements, answers, nowMs } = call;
  for (let i = 0; i < settlements.length; i++) {
    if (answers[i] === "settled") countOutcome(queue, settlements[i] as Settlement, nowMs);
    else queue.counts.stale++;
  }
}

function countOutcome({ counts, run, endToEnd }: QueueMeasures, settlement: Settlement, nowMs: number): void {
  const { outcome, enqueuedAtMs } = settlement;
  switch (outcome.kind) {
    case "ack":
      counts.completed++;
      run.add(outcome.durationMs);
      if (enqueuedAtMs !== undefined) endToEnd.add(nowMs - enqueuedAtMs);
      return;
    case "retry":
      counts.retried++;
      break;
    case "bury":
      counts.buried++;
      break;
    case "discard":
      counts.cancelled++;
      break;
    case "lose":
      if (outcome.failure) counts.lost++;
      return;
    case "release":
    case "snooze":
      return;
  }
  counts.failed++;
  run.add(outcome.failure.durationMs);
}

export function doneOf(moves: readonly DeadMove[]): number {
  return moves.reduce((done, move) => (move === "done" ? done + 1 : done), 0);
}

/** Undefined when the store refuses by its rules: then it has not failed. */
export function failureOf(error: unknown): StoreError | undefined {
  if (!(error instanceof TaskwireError)) return "BUG";
  return error.code === "STORE_UNAVAILABLE" || error.code === "STORE_FULL" ? error.code : undefined;
}
