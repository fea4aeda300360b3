import { expect, test } from "vitest";
import { MEASURED_QUEUES, MEASURED_TYPES, Measures, OTHER } from "./measures.ts";

test("the first queues are measured apart, the rest together, and none changes its place", () => {
  const measures = new Measures();

  for (let i = 0; i < MEASURED_QUEUES + 10; i++) measures.queue(`q${i}`).counts.completed++;
  measures.queue("q0").counts.completed++;

  expect(measures.queues.size).toBe(MEASURED_QUEUES + 1);
  expect(measures.queues.get("q0")?.counts.completed).toBe(2);
  expect(measures.queues.get(OTHER)?.counts.completed).toBe(10);
});

test("so are types, wherever they are enqueued", () => {
  const measures = new Measures();

  for (let i = 0; i < MEASURED_TYPES + 5; i++) measures.countEnqueued(i % 2 ? "q" : "r", `t${i}`, 2);

  const [q, r] = [measures.queue("q").types, measures.queue("r").types];
  expect([q.size, r.size]).toEqual([MEASURED_TYPES / 2 + 1, MEASURED_TYPES / 2 + 1]);
  expect(q.get(OTHER)).toBe(4);
  expect(r.get(OTHER)).toBe(6);
});

test("totals are over all queues", () => {
  const measures = new Measures();
  measures.queue("a").wait.add(1);
  measures.queue("b").wait.add(3);

  const total = measures.total("wait");

  expect([total.count, total.sum]).toEqual([2, 4]);
});
