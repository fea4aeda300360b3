import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Periodic } from "./periodic.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const unexpected = (error: unknown) => {
  throw error;
};

test("the next run starts a while after the former one ended, so runs never overlap", async () => {
  const ends: (() => void)[] = [];
  const periodic = new Periodic(() => new Promise<void>((end) => ends.push(end)), 100, unexpected);
  await periodic.start();

  await vi.advanceTimersByTimeAsync(1_000);
  expect(ends).toHaveLength(1);

  ends[0]?.();
  await vi.advanceTimersByTimeAsync(99);
  expect(ends).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(ends).toHaveLength(2);
});

test("a failed run is reported, and the next one comes", async () => {
  const failures: unknown[] = [];
  const run = vi.fn(() => Promise.reject(new Error("no luck")));
  const periodic = new Periodic(run, 100, (error) => failures.push(error));
  await periodic.start();

  await vi.advanceTimersByTimeAsync(200);

  expect(run).toHaveBeenCalledTimes(2);
  expect(failures).toEqual([new Error("no luck"), new Error("no luck")]);
});

test("stop waits for the run that is under way, and no other follows", async () => {
  const ends: (() => void)[] = [];
  const periodic = new Periodic(() => new Promise<void>((end) => ends.push(end)), 100, unexpected);
  await periodic.start();
  await vi.advanceTimersByTimeAsync(100);

  let isStopped = false;
  const stopping = periodic.stop().then(() => {
    isStopped = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(isStopped).toBe(false);

  ends[0]?.();
  await stopping;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ends).toHaveLength(1);
});

test("starting twice is starting once", async () => {
  const run = vi.fn(() => Promise.resolve());
  const periodic = new Periodic(run, 100, unexpected);
  await periodic.start();
  await periodic.start();

  await vi.advanceTimersByTimeAsync(100);

  expect(run).toHaveBeenCalledTimes(1);
  await periodic.stop();
});
