/** The books of a queue after a fault: every task that was taken is done, once, and was left alone from then on. */
import { type Counters, TaskState } from "@taskwire/proto";
import { expect } from "vitest";
import type { Rpc } from "../support/rpc.ts";
import { until, untilWorks } from "../support/until.ts";
import type { WorkerProcess } from "../support/worker.ts";

export interface Books {
  readonly queue: string;
  /** The ids of all tasks that the producer was told are taken. */
  readonly ids: readonly string[];
  /** All workers that took part, also those that are dead. */
  readonly workers: readonly WorkerProcess[];
}

/** Waits until all tasks have ended, then checks the books. Resolves with the counters. */
export async function audit(rpc: Rpc, { queue, ids, workers }: Books): Promise<Counters> {
  expect(new Set(ids).size, "ids are unique").toBe(ids.length);
  let last = "";
  const counters = await until(
    () => `all ${ids.length} tasks are completed; the counters are ${last}`,
    async () => {
      const now = await countersOf(rpc, queue);
      last = JSON.stringify(now);
      return now && now.completed >= ids.length && now.active + now.ready + now.scheduled === 0 && now;
    },
    { withinMs: 40_000, everyMs: 20 },
  );
  expect(counters, "each task is counted once").toMatchObject({ enqueued: ids.length, completed: ids.length, dead: 0 });
  for (const taskId of ids) {
    const { status } = await rpc.tasks.getTask({ taskId });
    expect(status, taskId).toMatchObject({ state: TaskState.COMPLETED, lastResult: { success: true } });
  }
  checkStarts(new Set(ids), workers);
  return counters;
}

/** Nobody may start a task that nobody enqueued, or one of which a worker heard that it is completed. */
export function checkStarts(ids: ReadonlySet<string>, workers: readonly WorkerProcess[]): void {
  const doneAt = new Map<string, number>();
  for (const { taskId, at, reason } of workers.flatMap((worker) => worker.ofKind("settled"))) {
    if (reason === "ack") doneAt.set(taskId, Math.min(at, doneAt.get(taskId) ?? Number.POSITIVE_INFINITY));
  }
  const starts = workers.flatMap((worker) => worker.ofKind("started"));
  expect(
    starts.filter(({ taskId }) => !ids.has(taskId)),
    "started, but never enqueued",
  ).toEqual([]);
  const late = starts.filter(({ taskId, at }) => at > (doneAt.get(taskId) ?? Number.POSITIVE_INFINITY));
  expect(late, "started after they were completed").toEqual([]);
}

/** Undefined while the broker cannot be asked. */
export async function countersOf(rpc: Rpc, queue: string): Promise<Counters | undefined> {
  const answer = await untilWorks("the broker tells its counters", () => rpc.queues.getQueue({ queue }), {
    withinMs: 20_000,
    everyMs: 50,
  });
  return answer.queue?.counters;
}
