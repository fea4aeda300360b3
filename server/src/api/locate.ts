import { TaskwireError } from "../domain/errors.ts";
import { callerKey, parseTaskId, queueTag } from "../domain/ids.ts";
import type { Store } from "../store/store.ts";
import { Fields } from "./parse/fields.ts";

export interface Located {
  readonly queue: string;
  readonly key: string;
}

/**
 * Finds out which task a caller means.
 * @throws INVALID_ARGUMENT, QUEUE_NEEDED, TASK_NOT_FOUND
 */
export async function locate(store: Store, taskId: string, queue: string): Promise<Located> {
  const fields = new Fields();
  fields.name("task_id", taskId);
  if (queue !== "") fields.name("queue", queue);
  fields.check();
  const parsed = parseTaskId(taskId);
  if (!parsed) {
    if (queue === "")
      throw new TaskwireError(
        "QUEUE_NEEDED",
        `the id ${JSON.stringify(taskId)} was chosen by its caller: give its queue, too`,
      );
    return { queue, key: callerKey(taskId) };
  }
  const owner = queue !== "" && queueTag(queue) === parsed.tag ? queue : await store.queueByTag(parsed.tag);
  if (owner === undefined || (queue !== "" && owner !== queue)) throw taskNotFound(taskId);
  return { queue: owner, key: parsed.key };
}

export function taskNotFound(taskId: string): TaskwireError {
  const message = `no task ${JSON.stringify(taskId)}: it never existed, or its result is no longer kept`;
  return new TaskwireError("TASK_NOT_FOUND", message, { metadata: { task: taskId } });
}
