import { Queue } from "bullmq";
import { objectPayload, TASK_TYPE } from "./payload.ts";
import type { Counts } from "./protocol.ts";
import type { Sender } from "./sender.ts";

/** Completed tasks are kept, which is BullMQ's default as it is Taskwire's. */
export function bullmqSender(redisPort: number): Sender {
  const queues = new Map<string, Queue>();
  const named = (name: string) => {
    const queue = queues.get(name) ?? new Queue(name, { connection: { host: "127.0.0.1", port: redisPort } });
    queues.set(name, queue);
    return queue;
  };
  return {
    enqueue: (queue, { stamp, dueAt }) => named(queue).add(TASK_TYPE, objectPayload(stamp), delayUntil(dueAt)),
    enqueueMany: (queue, tasks) =>
      named(queue).addBulk(
        tasks.map(({ stamp, dueAt }) => ({ name: TASK_TYPE, data: objectPayload(stamp), opts: delayUntil(dueAt) })),
      ),
    counts: async (queue) => countsOf(await named(queue).getJobCounts()),
  };
}

function delayUntil(dueAt: number | undefined) {
  if (dueAt === undefined) return {};
  const timestamp = Date.now();
  return { timestamp, delay: Math.max(0, dueAt - timestamp) };
}

function countsOf(counts: Readonly<Record<string, number>>): Counts {
  const of = (state: string) => counts[state] ?? 0;
  return {
    waiting: of("waiting") + of("delayed") + of("prioritized"),
    active: of("active"),
    completed: of("completed"),
    failed: of("failed"),
    retried: 0,
    dead: of("failed"),
  };
}
