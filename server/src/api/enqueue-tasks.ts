import { TaskwireError } from "../domain/errors.ts";
import { groupBy } from "../lib/group-by.ts";
import type { Enqueued, Producer } from "../store/store.ts";
import type { Broker } from "./broker.ts";
import type { ParsedTask } from "./parse/enqueue.ts";

/** A stored task and the queue it stands in. */
export interface EnqueuedTask {
  readonly queue: string;
  readonly enqueued: Enqueued;
}

/** Stores tasks, and offers them to the sessions in the same tick. One entry for each task, in order. */
export async function enqueueTasks(
  broker: Broker,
  tasks: readonly ParsedTask[],
  producer?: Producer,
): Promise<readonly EnqueuedTask[]> {
  const first = tasks[0];
  if (!first) return [];
  if (tasks.every(({ queue }) => queue === first.queue)) return enqueueQueue(broker, first.queue, tasks, producer);
  const stored = new Map<ParsedTask, EnqueuedTask>();
  const store = async ([queue, group]: [string, ParsedTask[]]) => {
    const enqueued = await enqueueQueue(broker, queue, group, producer);
    for (const [i, task] of group.entries()) stored.set(task, enqueued[i] as EnqueuedTask);
  };
  const outcomes = await Promise.allSettled([...groupBy(tasks, ({ queue }) => queue)].map(store));
  const refusal = outcomes.find((outcome) => outcome.status === "rejected");
  if (refusal) throw withEffect(refusal.reason, stored.size > 0);
  // Every task was in one of the groups.
  return tasks.map((task) => stored.get(task) as EnqueuedTask);
}

async function enqueueQueue(
  { store, dispatcher }: Broker,
  queue: string,
  tasks: readonly ParsedTask[],
  producer?: Producer,
): Promise<readonly EnqueuedTask[]> {
  const storing = store.enqueue(
    queue,
    tasks.map(({ task }) => task),
    producer,
  );
  const ready = tasks.reduce((count, { task }) => (task.delayMs === 0 && task.runAtMs === 0 ? count + 1 : count), 0);
  if (ready > 0) dispatcher.enqueued(queue, ready);
  return (await storing).map((enqueued) => ({ queue, enqueued }));
}

/** An error that says "no effect" says too much when other queues took their tasks. */
function withEffect(error: unknown, hadEffect: boolean): unknown {
  if (!hadEffect || !(error instanceof TaskwireError)) return error;
  return error.withUnknownEffect(`${error.message} (tasks of other queues were accepted)`);
}
