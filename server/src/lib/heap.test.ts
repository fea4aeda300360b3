import { expect, test } from "vitest";
import { Heap } from "./heap.ts";

test("a heap gives out what is least, whatever the order of pushes and pops", () => {
  const heap = new Heap<number>((a, b) => a < b);
  const model: number[] = [];
  for (let i = 0; i < 2_000; i++) {
    const item = (i * 7_919) % 1_000;
    heap.push(item);
    model.push(item);
    if (i % 3 > 0) continue;
    model.sort((a, b) => a - b);
    expect(heap.peek()).toBe(model[0]);
    expect(heap.pop()).toBe(model.shift());
  }

  const rest = Array.from({ length: model.length }, () => heap.pop());

  expect(rest).toEqual(model.sort((a, b) => a - b));
  expect(heap.size).toBe(0);
  expect(heap.pop()).toBeUndefined();
});
