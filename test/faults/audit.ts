/** Counts every task at the end of a fault test: none lost, none accepted twice, none run after it was accepted. */
import type { Client } from "@taskwire/client";
import { expect } from "vitest";
import type { WorkerEvent, WorkerProcess } from "../support/processes.ts";
import { until } from "../support/until.ts";

/** Waits until all have ended, and checks what the broker counted against what producers and workers saw. */
export async function audit(
  client: Client,
  taskIds: readonly string[],
  workers: readonly WorkerProcess[],
): Promise<void> {
  expect(new Set(taskIds).size, "ids are unique").toBe(taskIds.length);
  const total = await until(
    "all tasks have ended",
    async () => {
      const now = await totals(client);
      return now && now.completed + now.dead >= taskIds.length && now.ready + now.active + now.scheduled === 0
        ? now
        : undefined;
    },
    { withinMs: 40_000, everyMs: 50 },
  );
  expect(total, "each accepted once, none lost").toMatchObject({
    enqueued: taskIds.length,
    completed: taskIds.length,
    dead: 0,
  });
  for (const id of taskIds) expect((await client.get(id)).state, id).toBe("completed");
  const events = workers.flatMap((worker) => worker.events());
  const known = new Set(taskIds);
  for (const { task, kind } of events)
    if (kind === "start") expect(known.has(task), "only tasks that were enqueued are run").toBe(true);
  expectNoRunAfterAccepted(events);
}

function expectNoRunAfterAccepted(events: readonly WorkerEvent[]): void {
  const acceptedAt = new Map<string, number>();
  for (const { kind, task, atMs } of events) {
    if (kind !== "settled") continue;
    acceptedAt.set(task, Math.min(atMs, acceptedAt.get(task) ?? Number.POSITIVE_INFINITY));
  }
  for (const { kind, task, atMs } of events) {
    if (kind === "start")
      expect(atMs, `${task} is not handed out after its accepted ack`).toBeLessThanOrEqual(
        acceptedAt.get(task) ?? Number.POSITIVE_INFINITY,
      );
  }
}

/** Undefined while no broker answers. */
export async function totals(client: Client) {
  for await (const stats of client.watchStats({ limit: 1, signal: AbortSignal.timeout(5_000) })) return stats.total;
  return undefined;
}
