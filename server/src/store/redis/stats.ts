import type { QueueStats } from "../store.ts";
import type { Context } from "./context.ts";

const TYPE_PREFIX = "type:";

/** The numbers of a queue. Counters only rise, but for `ready`; what is active was handed out and not settled. */
export async function readStats({ commands, keys }: Context, queue: string): Promise<QueueStats> {
  const { count, due, dead } = keys.queue(queue);
  const replies = await commands.guard(() => commands.connection.multi().hgetall(count).zcard(due).zcard(dead).exec());
  const [counts, scheduled, buried] = (replies ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
  // What HGETALL and ZCARD answer.
  const values = new Map(Object.entries(counts as Record<string, string>).map(([name, value]) => [name, Number(value)]));
  const value = (name: string) => values.get(name) ?? 0;
  const enqueuedByType = new Map([...values].flatMap(([name, n]) => (name.startsWith(TYPE_PREFIX) ? [[name.slice(TYPE_PREFIX.length), n] as const] : [])));
  return {
    queue,
    counters: {
      enqueued: value("enqueued"),
      dequeued: value("dequeued"),
      completed: value("completed"),
      failed: value("failed"),
      retried: value("retried"),
      lost: value("lost"),
      scheduled: scheduled as number,
      ready: value("ready"),
      active: value("dequeued") - value("settled"),
      dead: buried as number,
    },
    enqueuedByType,
  };
}
