import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Heartbeat } from "./heartbeat.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setImmediate", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function start() {
  const sent: number[] = [];
  const silent = vi.fn<(silentMs: number) => void>();
  const heartbeat = new Heartbeat({
    intervalMs: 1_000,
    timeoutMs: 3_000,
    send: (sequence) => sent.push(sequence),
    silent,
  });
  return { heartbeat, sent, silent };
}

it("gives up a silent broker once, after the timeout and no earlier", () => {
  const { silent } = start();

  vi.advanceTimersByTime(2_999);
  expect(silent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10_000);

  expect(silent).toHaveBeenCalledTimes(1);
});

it("keeps a broker that is heard now and then", () => {
  const { heartbeat, sent, silent } = start();

  for (let second = 0; second < 20; second += 2) {
    vi.advanceTimersByTime(2_000);
    heartbeat.heard();
  }

  expect(silent).not.toHaveBeenCalled();
  expect(sent).toHaveLength(20);
  heartbeat.stop();
  vi.advanceTimersByTime(10_000);
  expect(sent).toHaveLength(20);
  expect(silent).not.toHaveBeenCalled();
});

it("reads what lies in the socket before it blames the broker for a blocked event loop", async () => {
  // The order of a real event loop, under a clock that shows no more than the block.
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ["performance"] });
  const silent = vi.fn<(silentMs: number) => void>();
  const heartbeat = new Heartbeat({ intervalMs: 10, timeoutMs: 100, send: () => {}, silent });

  // From here the timers are next, and only then what lies in the socket, for which the setImmediate stands.
  await turn();
  setImmediate(() => heartbeat.heard());
  const until = Date.now() + 20;
  while (Date.now() < until);
  vi.advanceTimersByTime(150);
  for (let i = 0; i < 5; i++) await turn();
  heartbeat.stop();

  expect(silent).not.toHaveBeenCalled();
});
