/** Why a task has not ended yet: one sentence for people, the same wherever they look. */
import { readOptions, readType } from "../domain/task-body.ts";
import type { QueueStats, Store, TaskSnapshot, WorkerRecord } from "../store/store.ts";
import type { HeldBy } from "./present/task.ts";

/** What is known beside the task itself. */
export interface Surroundings {
  readonly queue: QueueStats | undefined;
  readonly workers: readonly WorkerRecord[];
  /** How many tasks are ahead of it, if that is known. */
  readonly ahead: number | undefined;
  readonly held: HeldBy | undefined;
}

/** Looks around a task: only at what the sentence for its state needs. */
export async function lookAround(store: Store, task: TaskSnapshot, held: HeldBy | undefined): Promise<Surroundings> {
  const isReady = task.state === "ready";
  const [stats, workers, ahead] = await Promise.all([
    isReady ? store.stats([task.queue]) : [],
    isReady || (task.state === "active" && !held) ? store.workers() : [],
    isReady ? store.position(task.queue, task.key) : undefined,
  ]);
  return { queue: stats[0], workers, ahead, held };
}

/** "" when the task has ended. */
export function whyWaiting(task: TaskSnapshot, around: Surroundings): string {
  switch (task.state) {
    case "scheduled":
      return scheduledReason(task);
    case "ready":
      return readyReason(task, around);
    case "active":
      return activeReason(task, around);
    default:
      return "";
  }
}

function scheduledReason({ body, attempt, attempts, runAtMs }: TaskSnapshot): string {
  const at = timeText(runAtMs);
  if (attempts[0]?.outcome !== "failed" || attempts[0].attempt !== attempt - 1) return `scheduled for ${at}`;
  const { maxRetries } = readOptions(Buffer.from(body ?? []));
  return `retry ${attempt - 1} of ${maxRetries} at ${at}`;
}

function readyReason({ queue, body }: TaskSnapshot, { queue: stats, workers, ahead }: Surroundings): string {
  if (stats?.policy.paused) return `the queue ${queue} is paused`;
  const type = readType(body ?? new Uint8Array());
  const subscriptions = workers.flatMap(({ queues }) => queues.filter((one) => one.queue === queue));
  if (subscriptions.length === 0) return `no worker takes tasks of the queue ${queue}`;
  if (!subscriptions.some(({ types }) => types.length === 0 || types.includes(type)))
    return `no worker for the type ${type}`;
  const ready = stats?.counters.ready ?? 0;
  return ahead === undefined ? `in line with ${ready} tasks` : `position ${ahead + 1} of ${Math.max(ahead + 1, ready)}`;
}

function activeReason({ queue, key }: TaskSnapshot, { workers, held }: Surroundings): string {
  if (held) return `held by worker ${held.workerId} since ${timeText(held.deliveredAtMs)}`;
  for (const { workerId, holding } of workers) {
    const task = holding.find((one) => one.queue === queue && one.key === key);
    if (task) return `held by worker ${workerId} since ${timeText(task.deliveredAtMs)}`;
  }
  return "held by a worker of another broker";
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
