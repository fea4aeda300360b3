import { expect, test, vi } from "vitest";
import { StoreClock } from "./store-clock.ts";

test.each([0, 3, 60_000, -60_000])("times of a store whose clock is %i ms ahead can be compared", async (aheadMs) => {
  vi.useFakeTimers({ now: 1_000_000 });
  const clock = new StoreClock({
    now: async () => {
      vi.setSystemTime(Date.now() + 10);
      const storeMs = Date.now() + aheadMs;
      vi.setSystemTime(Date.now() + 10);
      return storeMs;
    },
  });

  await clock.compare();

  // 3 ms are less than a call of 20 ms can tell.
  expect(clock.nowMs() - Date.now()).toBe(Math.abs(aheadMs) < 10 ? 0 : aheadMs);
  vi.useRealTimers();
});
