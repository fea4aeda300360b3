import { expect, test } from "vitest";
import { Deque } from "./deque.ts";

test("a deque is a list with two ends, while it grows and its ring turns", () => {
  const deque = new Deque<number>();
  const model: number[] = [];
  for (let i = 0; i < 1_000; i++) {
    if (i % 5 === 0) {
      deque.unshift(i);
      model.unshift(i);
    } else {
      deque.push(i);
      model.push(i);
    }
    if (i % 3 === 0) expect(deque.shift()).toBe(model.shift());
    expect(deque.size).toBe(model.length);
    expect(deque.at(model.length - 1)).toBe(model.at(-1));
    expect(deque.at(model.length)).toBeUndefined();
  }

  expect(Array.from({ length: model.length }, () => deque.shift())).toEqual(model);
  expect(deque.shift()).toBeUndefined();
});
