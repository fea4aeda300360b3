/** What a walk can compare, whatever the clocks of the model and of a store say. */
import type { Attempt, AttemptResult, TaskSnapshot } from "@taskwire/server/testing";
import { expect } from "vitest";
import type { ModelTask } from "./model-task.ts";

/** Looks whether a store found what the model says of a task. */
export function expectSameTask(found: TaskSnapshot, expected: TaskSnapshot): void {
  const { state, attempt, lostCount, body, lastResult, attempts } = expected;
  expect(found).toMatchObject({ state, attempt, lostCount });
  expect(found.body && Buffer.from(found.body)).toEqual(body);
  expect(found.runAtMs > 0, "a run time is told of what is scheduled").toBe(state === "scheduled");
  expect(withoutTimes(found.lastResult)).toEqual(withoutTimes(lastResult));
  expect(found.attempts.map(withoutTimes)).toEqual(attempts.map(withoutTimes));
}

/** Of what was cancelled a store need not know how long it took, nor where it ran. */
function withoutTimes<T extends AttemptResult | Attempt>(ended: T | undefined): object {
  const isCancelled = ended?.failure?.type === "cancelled";
  const unknown = { durationMs: 0, workerId: "", failure: { ...ended?.failure, durationMs: 0, workerId: "" } };
  return { ...ended, endedAtMs: 0, waitMs: 0, ...(isCancelled ? unknown : {}) };
}

/**
 * Higher priorities first. Among equals, what has waited since it was enqueued is in that order, and at priority 0 what came
 * back is before it. What was scheduled may stand anywhere: two clocks cannot agree on it to the millisecond.
 */
export function expectInOrder(line: readonly ModelTask[]): void {
  const places = line.filter((entry) => isFresh(entry) || (cameBack(entry) && entry.task.priority === 0));
  const rank = (entry: ModelTask) => ({ priority: -entry.task.priority, place: cameBack(entry) ? 0 : entry.place });
  const ordered = [...places].sort((a, b) => rank(a).priority - rank(b).priority || rank(a).place - rank(b).place);
  expect(places.map(rank)).toEqual(ordered.map(rank));
  const priorities = line.map(({ task }) => task.priority);
  expect(priorities).toEqual([...priorities].sort((a, b) => b - a));
}

function isFresh({ lease, task }: ModelTask): boolean {
  return lease === undefined && task.delayMs === 0 && task.runAtMs === 0;
}

function cameBack({ place }: ModelTask): boolean {
  return place <= 0;
}
