/** The producer process of the benchmark. Its one argument says what it enqueues into. */
import { setTimeout as sleep } from "node:timers/promises";
import { cpuMicros, monotonicMs } from "./clock.ts";
import type { Load, Pace, PayloadKind, ProducerCommands, Span, Target } from "./protocol.ts";
import type { Sender, Stamped } from "./sender.ts";
import { serve } from "./serve.ts";
import { createSender } from "./systems.ts";

const SINGLE_CALLS_IN_FLIGHT = 100;
const BULK_CALLS_IN_FLIGHT = 4;
const BULK_TASKS = 1_000;

// Written by roles.ts.
const { target, payload } = JSON.parse(process.argv[2] ?? "") as { target: Target; payload: PayloadKind };
const sender = createSender(target, payload);
/** What is enqueued evenly now. */
let pacing: Pace | undefined;

serve<ProducerCommands>({
  load: (load) => timed(() => (load.mode === "single" ? loadOneByOne(sender, load) : loadInBulk(sender, load))),
  pace: (pace) => enqueueEvenly(sender, pace),
  endPace: async () => {
    pacing = undefined;
  },
  counts: ({ queue }) => sender.counts(queue),
  cpu: async () => cpuMicros(),
});

async function timed(run: () => Promise<void>): Promise<Span> {
  const startedAt = monotonicMs();
  await run();
  return { startedAt, endedAt: monotonicMs() };
}

async function loadOneByOne(sender: Sender, load: Load): Promise<void> {
  let next = 0;
  await inFlight(SINGLE_CALLS_IN_FLIGHT, async () => {
    while (next < load.count) await sender.enqueue(load.queue, taskOf(load, next++));
  });
}

async function loadInBulk(sender: Sender, load: Load): Promise<void> {
  let next = 0;
  await inFlight(BULK_CALLS_IN_FLIGHT, async () => {
    while (next < load.count) {
      const first = next;
      next = Math.min(load.count, first + BULK_TASKS);
      await sender.enqueueMany(
        load.queue,
        Array.from({ length: next - first }, (_, i) => taskOf(load, first + i)),
      );
    }
  });
}

async function inFlight(lanes: number, lane: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** A due task carries when it is due, any other its number. */
function taskOf({ due }: Load, number: number): Stamped {
  if (!due) return { stamp: number };
  const dueAt = Math.round(due.firstAt + number * due.stepMs);
  return { stamp: dueAt, dueAt };
}

async function enqueueEvenly(sender: Sender, pace: Pace): Promise<number> {
  const { queue, count, perSecond } = pace;
  pacing = pace;
  const startedAt = monotonicMs();
  const calls: Promise<unknown>[] = [];
  for (let number = 0; number < count && pacing === pace; number++) {
    // A timer that fires late is caught up with, so that the rate holds.
    const waitMs = startedAt + (number * 1_000) / perSecond - monotonicMs();
    if (waitMs > 0) await sleep(waitMs);
    calls.push(sender.enqueue(queue, { stamp: monotonicMs() }));
  }
  await Promise.all(calls);
  return calls.length;
}
