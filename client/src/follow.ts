/** Asks for tasks, and waits for their end. */
import { type TaskStatus as ProtoTaskStatus, TaskServiceDefinition } from "@taskwire/proto";
import type { Brokers } from "./brokers.ts";
import { ask } from "./calls.ts";
import { TaskFailed } from "./errors.ts";
import type { Patience } from "./patience.ts";
import { type TaskStatus, toTaskStatus } from "./task-status.ts";

/** Which task. */
export interface TaskName {
  readonly taskId: string;
  /** "": the id tells. */
  readonly queue: string;
}

export async function getTask(brokers: Brokers, patience: Patience, name: TaskName): Promise<TaskStatus> {
  const { status } = await ask(
    brokers,
    patience,
    ({ connection, options }) => connection.client(TaskServiceDefinition).getTask(name, options),
    `no answer about task ${name.taskId}`,
  );
  return complete(status);
}

/** Resolves when the task has ended. */
export async function awaitTask(brokers: Brokers, patience: Patience, name: TaskName): Promise<TaskStatus> {
  const { status } = await ask(
    brokers,
    patience,
    ({ connection, options }) => connection.client(TaskServiceDefinition).awaitTask(name, options),
    `task ${name.taskId} has not ended`,
  );
  return complete(status);
}

/** Resolves with whether a worker had it. */
export async function cancelTask(
  brokers: Brokers,
  patience: Patience,
  name: TaskName,
  reason: string,
): Promise<boolean> {
  const { wasActive } = await ask(
    brokers,
    patience,
    ({ connection, options }) => connection.client(TaskServiceDefinition).cancelTask({ ...name, reason }, options),
    `task ${name.taskId} may not be cancelled`,
  );
  return wasActive;
}

function complete(status: ProtoTaskStatus | undefined): TaskStatus {
  if (!status) throw new Error("the broker answered without a status");
  return toTaskStatus(status);
}

/** What the handler returned; throws `TaskFailed` when the task ended without success. */
export function resultOf({ taskId, state, attempt, lastResult }: TaskStatus): unknown {
  if (state === "dead" || state === "cancelled") {
    const { errorType = "", errorMessage = "" } = lastResult ?? {};
    throw new TaskFailed({ taskId, state, attempt, errorType, errorMessage });
  }
  return decodeResult(lastResult?.result);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

function decodeResult(bytes: Uint8Array | undefined): unknown {
  if (!bytes || bytes.length === 0) return undefined;
  try {
    return JSON.parse(UTF8.decode(bytes));
  } catch {
    // Not JSON: the handler returned bytes of its own.
    return bytes;
  }
}
