import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLogger } from "../observe/logger.ts";
import type { Store } from "../store/store.ts";
import { Liveness } from "./liveness.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("a store that stays away is news once, while sessions are closed again and again", async () => {
  let isAway = true;
  const renew = async () => {
    if (isAway) throw new Error("away");
    return "renewed";
  };
  const logger = createLogger("silent", false);
  const warn = vi.spyOn(logger, "warn");
  const onFenced = vi.fn();
  // As much of a store as is called.
  const liveness = new Liveness({ renew } as unknown as Store, 1_000, onFenced, logger);
  const renewLater = async () => {
    vi.advanceTimersByTime(1_500);
    await liveness.renew().catch(() => undefined);
  };

  for (let i = 0; i < 3; i++) await renewLater();
  expect(onFenced).toHaveBeenCalledTimes(3);
  expect(warn).toHaveBeenCalledTimes(1);

  isAway = false;
  await renewLater();
  isAway = true;
  await renewLater();
  expect(warn, "it was back in between").toHaveBeenCalledTimes(2);
});
