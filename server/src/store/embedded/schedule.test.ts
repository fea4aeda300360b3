import { expect, test } from "vitest";
import { type AloneTask, newAloneTask } from "./alone-task.ts";
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

test("a schedule passes over what was cancelled, and forgets it", () => {
  const schedule = new Schedule();
  const tasks = Array.from({ length: 300 }, (_, n) => task(`${n}`, n % 3));
  for (const [n, one] of tasks.entries()) schedule.add(n % 3, one);

  for (const [n, one] of tasks.entries()) {
    if (n % 3 === 0 || n % 4 === 0) {
      one.state = "cancelled";
      schedule.cancelled(one.runAtMs);
    }
  }

  const left = tasks.filter(({ state }) => state === "scheduled").sort((a, b) => a.runAtMs - b.runAtMs);
  expect(schedule.nextDueAtMs).toBe(1);
  expect([...schedule.down(undefined)].filter((one) => "key" in one && one.state === "scheduled")).toEqual(
    left.toReversed(),
  );
  for (const one of left) {
    expect(schedule.firstDue(10)).toBe(one);
    schedule.shift();
  }
  expect(schedule.nextDueAtMs).toBeUndefined();
  expect([...schedule.down(undefined)]).toEqual([]);
});

test("a schedule is read from any place, the last to be due first", () => {
  const schedule = new Schedule();
  for (let n = 0; n < 500; n++) schedule.add((n * 7) % 11, task(`${n}`, (n * 7) % 11, `${n}`.padStart(14, "0")));
  const all = [...schedule.down(undefined)];
  expect(all).toHaveLength(500);

  for (let at = 0; at < all.length; at += 7) {
    const from = all[at];
    if (from && "key" in from) expect([...schedule.down(from)]).toEqual(all.slice(at));
  }
});

function task(key: string, runAtMs = 0, stamp = ""): AloneTask {
  const common = { priority: 0, enqueuedAtMs: 0, hasOptions: false, attempt: 1, lostCount: 0 };
  return newAloneTask({ ...common, key, runAtMs, state: "scheduled", stamp });
}
