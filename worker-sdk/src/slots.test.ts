import { setImmediate as turn } from "node:timers/promises";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { deliveriesOf } from "./delivery.ts";
import { Execution, type Source } from "./execution.ts";
import type { Outcome } from "./outcome.ts";
import type { Handler } from "./registry.ts";
import { Slots } from "./slots.ts";

// The clock stands still unless a test moves it: how many handlers fit into a burst must not depend on the machine.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const SOURCE: Source = { log: pino({ level: "silent" }), progress: () => {}, extend: () => {}, settle: () => {} };

function executions(count: number, source = SOURCE): Execution[] {
  const wire = { attempt: 1, deadlineTime: undefined, leaseToken: "", task: undefined };
  return deliveriesOf({ deliveries: Array.from({ length: count }, (_, n) => ({ tag: n + 1, ...wire })) }).map(
    (delivery) => new Execution(delivery, source),
  );
}

function makeSlots(concurrency: number, handler: Handler) {
  const ended: [number, Outcome["kind"]][] = [];
  const slots = new Slots({
    concurrency,
    handlerOf: () => handler,
    ended: ({ delivery }, outcome) => ended.push([delivery.tag, outcome.kind]),
  });
  return { slots, ended };
}

it("runs handlers that return at once within the call that adds them, in order", () => {
  const { slots, ended } = makeSlots(1, () => {});

  slots.add(executions(1_000));

  expect(ended.map(([tag]) => tag)).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1));
  expect(slots.unfinished).toBe(0);
});

it("gives the event loop its turn between handlers that take their time", async () => {
  const { slots, ended } = makeSlots(10, () => {
    vi.advanceTimersByTime(4);
  });
  const endedByTurn: number[] = [];

  slots.add(executions(6));
  for (endedByTurn.push(ended.length); slots.unfinished > 0; endedByTurn.push(ended.length)) await turn();

  // After 5 ms no other is started.
  expect(endedByTurn).toEqual([2, 4, 6]);
});

it("never runs more than `concurrency`, and keeps the order over a long line", async () => {
  let running = 0;
  let most = 0;
  const { slots, ended } = makeSlots(7, async () => {
    most = Math.max(most, ++running);
    await turn();
    running--;
  });

  slots.add(executions(2_000));
  slots.add(executions(1_000));
  while (slots.unfinished > 0) await turn();

  expect(most).toBe(7);
  expect(ended).toHaveLength(3_000);
});

it("drops what waits of one stream only, and hands back what waits when it is closed", () => {
  const other = { ...SOURCE };
  const { slots } = makeSlots(1, () => new Promise(() => {}));
  slots.add(executions(2));
  slots.add(executions(3, other));

  slots.dropWaiting(SOURCE);

  expect(slots.unfinished).toBe(4);
  expect(slots.close().map(({ source }) => source)).toEqual([other, other, other]);
  expect(slots.add(executions(1))).toBe(false);
  expect(slots.unfinished).toBe(1);
});

it("cancels waiting and running tasks of one stream, once", () => {
  const { slots } = makeSlots(1, () => new Promise(() => {}));
  const [running, waiting, untouched] = executions(3);
  if (!running || !waiting || !untouched) throw new Error("three were made");
  slots.add([running, waiting, untouched]);

  expect(slots.cancel({ ...SOURCE }, [1, 2], "timeout")).toBe(0);
  expect(slots.cancel(SOURCE, [1, 2, 9], "timeout")).toBe(2);
  expect(slots.cancel(SOURCE, [1, 2], "revoked")).toBe(0);

  expect([running, waiting, untouched].map(({ isOver }) => isOver)).toEqual([true, true, false]);
  expect(running.signal.reason).toMatchObject({ reason: "timeout" });
  expect(slots.unfinished).toBe(2);
});
