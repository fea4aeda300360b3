import { type FieldViolation, InvalidTask } from "../errors.ts";
import { codeName, type Refusal } from "../status.ts";

/** Such as `tasks[3].type`, or `tasks[3]` for a task that could not be read at all. */
const PATH = /^tasks\[(\d+)\](?:\.(.+))?$/;

/** Which tasks of a refused frame are wrong, by their place in it. None when the refusal is about the frame as a whole. */
export function invalidTasks(refusal: Refusal): ReadonlyMap<number, InvalidTask> {
  const byTask = new Map<number, FieldViolation[]>();
  for (const { field: path, description } of refusal.fields) {
    const [, index, field = "task"] = PATH.exec(path) ?? [];
    if (index === undefined) continue;
    const fields = byTask.get(Number(index)) ?? [];
    fields.push({ field, description });
    byTask.set(Number(index), fields);
  }
  return new Map([...byTask].map(([index, fields]) => [index, invalidTask(fields, refusal)]));
}

function invalidTask(fields: readonly FieldViolation[], { code, reason }: Refusal): InvalidTask {
  const message = fields.map(({ field, description }) => `${field} ${description}`).join("; ");
  return new InvalidTask(message, fields, { code: codeName(code), reason });
}
