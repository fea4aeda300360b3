import { expect, test } from "vitest";
import type { AloneTask } from "./alone-task.ts";
import { Schedule } from "./schedule.ts";

test("a schedule gives out by time, and in the order in which it came where that is the same", () => {
  const schedule = new Schedule();
  const model: { readonly at: number; readonly n: number }[] = [];
  const now = 500;
  for (let n = 0; n < 3_000; n++) {
    // Some come in a row for the same time, others change between times.
    const at = n % 100 < 60 ? 40 + Math.floor(n / 100) : (n * 7_919) % 1_000;
    schedule.add(at, task(`${at} ${n}`));
    model.push({ at, n });
    if (n % 4 > 0) continue;
    model.sort((a, b) => a.at - b.at || a.n - b.n);
    expect(schedule.nextDueAtMs).toBe(model[0]?.at);
    const due = model[0] && model[0].at <= now ? model.shift() : undefined;
    expect(schedule.firstDue(now)).toEqual(due && task(`${due.at} ${due.n}`));
    if (due) schedule.shift();
  }

  model.sort((a, b) => a.at - b.at || a.n - b.n);
  for (const { at, n } of model) {
    expect(schedule.firstDue(at - 1)).toBeUndefined();
    expect(schedule.firstDue(at)).toEqual(task(`${at} ${n}`));
    schedule.shift();
  }
  expect(schedule.nextDueAtMs).toBeUndefined();
});

test("a schedule that ran empty takes more for the time that it had last", () => {
  const schedule = new Schedule();
  for (const key of ["one", "two"]) {
    schedule.add(10, task(key));
    expect(schedule.firstDue(10)).toEqual(task(key));
    schedule.shift();
    expect(schedule.firstDue(10)).toBeUndefined();
  }
});

function task(key: string): AloneTask {
  return {
    key,
    priority: 0,
    enqueuedAtMs: 0,
    hasOptions: false,
    state: "scheduled",
    attempt: 1,
    lostCount: 0,
    runAtMs: 0,
    place: 0,
    mark: 0,
    leasedAttempt: 0,
    wasLeasedAlone: true,
  };
}
