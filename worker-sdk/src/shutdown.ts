import type { EventEmitter } from "node:events";
import { Connection } from "@taskwire/client/connection";
import { WorkerServiceDefinition } from "@taskwire/proto";
import type { Logger } from "pino";
import type { LateOutcomes } from "./late-outcomes.ts";
import type { LoopWatch } from "./loop-watch.ts";
import { RELEASED } from "./outcome.ts";
import type { Slots } from "./slots.ts";
import type { Subscription } from "./subscription.ts";

/** How long the last outcomes may take to be confirmed once no handler runs any more. */
const SETTLE_MS = 4_000;
/** How long a second signal waits for the tasks to be on their way back. */
const LEAVE_MS = 250;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** What a shell reports for a process that a signal ended: 128 + its number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export interface SignalActions {
  /** The first signal: stop, in good order. */
  stop(signal: NodeJS.Signals): void;
  /** A second one: leave now. */
  leave(exitCode: number): void;
}

/** The parts of a running worker. */
export interface Parts {
  readonly slots: Slots;
  readonly late: LateOutcomes;
  readonly subscription: Subscription;
  readonly loopWatch: LoopWatch;
}

export interface ShutdownOptions {
  readonly shutdownMs: number;
  readonly log: Logger;
}

/**
 * Stops in good order: no more tasks; what was not started goes back; what runs may finish; what does not in time
 * goes back too; and only when the broker has confirmed every outcome do the streams end.
 */
export async function shutDown(
  { slots, late, subscription, loopWatch }: Parts,
  options: ShutdownOptions,
): Promise<void> {
  const { shutdownMs, log } = options;
  for (const execution of slots.close()) execution.giveBack(RELEASED);
  subscription.stopDelivery();
  if (!(await within(shutdownMs, slots.untilIdle()))) {
    log.warn(
      { running: slots.running.size, shutdownMs },
      "handlers are still running, their tasks go back to the queue",
    );
    giveBackRunning(slots);
  }
  const deadline = performance.now() + SETTLE_MS;
  await within(SETTLE_MS, subscription.untilClosed());
  subscription.abandon("the worker is stopping");
  if (late.count > 0) await settleLate(late, subscription.address, deadline - performance.now());
  late.stop();
  loopWatch.stop();
  log.info("stopped");
}

/** The second signal: gives everything back, waits a moment for that to be sent, and that is all. */
export async function leave({ slots, subscription }: Parts): Promise<void> {
  for (const execution of slots.close()) execution.giveBack(RELEASED);
  giveBackRunning(slots);
  subscription.stopDelivery();
  subscription.flush();
  await within(LEAVE_MS, subscription.untilClosed());
}

function giveBackRunning(slots: Slots): void {
  for (const execution of slots.running) execution.giveBack(RELEASED);
}

/** No stream is open any more, but a broker may be there: these outcomes need a connection only. */
async function settleLate(late: LateOutcomes, address: string, ms: number): Promise<void> {
  const connection = new Connection({ address });
  const client = connection.client(WorkerServiceDefinition);
  late.routeTo((request) => client.settleTasks(request, { signal: AbortSignal.timeout(SETTLE_MS) }));
  await within(Math.max(0, ms), late.untilIdle());
  connection.close();
}

/** Listens for SIGINT and SIGTERM on `source`, the process. Returns a function that ends it. */
export function onSignals(source: EventEmitter, actions: SignalActions): () => void {
  let count = 0;
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      count++;
      if (count === 1) actions.stop(signal);
      else if (count === 2) actions.leave(EXIT_CODES[signal]);
    };
    source.on(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) source.off(signal, listener);
  };
}

/** Resolves with whether `work` was done within `ms`. Leaves no timer behind. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
