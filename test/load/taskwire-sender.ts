import { Client, type QueueCounters } from "@taskwire/client";
import { stampedPayload, TASK_TYPE } from "./payload.ts";
import type { Counts, PayloadKind } from "./protocol.ts";
import type { Sender, Stamped } from "./sender.ts";

export function taskwireSender(addresses: readonly string[], payload: PayloadKind): Sender {
  const client = new Client({ address: addresses, deadlineMs: 120_000 });
  return {
    enqueue: (queue, { stamp, dueAt }) =>
      client.enqueue(TASK_TYPE, stampedPayload(payload, stamp), options(queue, dueAt)),
    enqueueMany: (queue, tasks) => client.enqueueMany(newTasks(queue, payload, tasks)),
    counts: async (queue) => countsOf(await countersOf(client, queue)),
  };
}

function* newTasks(queue: string, payload: PayloadKind, tasks: readonly Stamped[]) {
  for (const { stamp, dueAt } of tasks) {
    yield { type: TASK_TYPE, payload: stampedPayload(payload, stamp), ...options(queue, dueAt) };
  }
}

function options(queue: string, dueAt: number | undefined) {
  return dueAt === undefined ? { queue } : { queue, runAt: new Date(dueAt) };
}

async function countersOf(client: Client, queue: string): Promise<QueueCounters | undefined> {
  for await (const stats of client.watchStats({ limit: 1 })) return stats.queues[queue];
  return undefined;
}

function countsOf(counters: QueueCounters | undefined): Counts {
  return {
    waiting: (counters?.ready ?? 0) + (counters?.scheduled ?? 0),
    active: counters?.active ?? 0,
    completed: counters?.completed ?? 0,
    failed: counters?.failed ?? 0,
    retried: counters?.retried ?? 0,
    dead: counters?.dead ?? 0,
  };
}
