import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fresh } from "./fresh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("all who ask in time share one answer; later ones get a new one", async () => {
  let taken = 0;
  const ask = fresh(100, async () => ++taken);

  expect(await Promise.all([ask(), ask()])).toEqual([1, 1]);
  vi.advanceTimersByTime(99);
  expect(await ask()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(await ask()).toBe(2);
});

test("a failure is not kept", async () => {
  let taken = 0;
  const ask = fresh(100, async () => {
    if (++taken === 1) throw new Error("away");
    return taken;
  });

  await expect(ask()).rejects.toThrow("away");
  expect(await ask()).toBe(2);
});
