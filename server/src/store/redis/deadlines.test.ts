import { describe, expect, test, vi } from "vitest";
import { Deadlines } from "./deadlines.ts";

describe("a deadline", () => {
  test("rejects what gets no answer, with an unknown effect, and lets answers through", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
    const deadlines = new Deadlines(1_000);
    const never = deadlines.limit(new Promise(() => undefined));
    const caught = never.catch((error: unknown) => error);

    expect(await deadlines.limit(Promise.resolve(7))).toBe(7);
    vi.advanceTimersByTime(1_200);

    expect(await caught).toMatchObject({ code: "STORE_UNAVAILABLE", effect: "unknown" });
    deadlines.close();
    vi.useRealTimers();
  });

  test("is over for all when the store closes", async () => {
    const deadlines = new Deadlines(60_000);
    const never = deadlines.limit(new Promise(() => undefined));

    deadlines.close();

    await expect(never).rejects.toMatchObject({ effect: "unknown" });
  });
});
