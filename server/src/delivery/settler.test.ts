import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLogger } from "../observe/logger.ts";
import type { Settlement, Store } from "../store/store.ts";
import { Settler } from "./settler.ts";

const LEASE = { queue: "email", broker: "b", sequence: 1, block: "k", alone: false, attempt: 1 };
const ACK: Settlement = {
  lease: LEASE,
  index: 0,
  outcome: { kind: "ack", result: undefined, durationMs: 1, workerId: "w" },
};

/** A settler, and how often its store was asked to settle. */
function settlerWithStore() {
  const settle = vi.fn(async (_queue: string, settlements: readonly Settlement[]) =>
    settlements.map(() => "settled" as const),
  );
  // The settler asks its store for nothing else.
  const settler = new Settler({ settle } as unknown as Store, createLogger("silent", false));
  return { settler, settle };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

test("an idle broker settles at once", async () => {
  const { settler, settle } = settlerWithStore();
  settler.accompany();
  vi.advanceTimersByTime(1);
  expect(await settler.settle([ACK])).toEqual(["settled"]);
  expect(settle).toHaveBeenCalledOnce();
});

test("a busy broker settles with its next enqueue or claim", async () => {
  const { settler, settle } = settlerWithStore();
  for (let i = 0; i < 3; i++) settler.accompany();
  const [first, second] = [settler.settle([ACK]), settler.settle([ACK])];
  expect(settle).not.toHaveBeenCalled();
  settler.accompany();
  expect(settle).toHaveBeenCalledTimes(2);
  expect(await Promise.all([first, second])).toEqual([["settled"], ["settled"]]);
});

test("outcomes wait no longer than 2 ms for company", async () => {
  const { settler, settle } = settlerWithStore();
  for (let i = 0; i < 3; i++) settler.accompany();
  const settled = settler.settle([ACK]);
  vi.advanceTimersByTime(1);
  expect(settle).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(await settled).toEqual(["settled"]);
});

test("a settler that stops leaves no outcome behind", async () => {
  const { settler, settle } = settlerWithStore();
  for (let i = 0; i < 3; i++) settler.accompany();
  const settled = settler.settle([ACK]);
  await settler.stop();
  expect(await settled).toEqual(["settled"]);
  expect(settle).toHaveBeenCalledOnce();
});
