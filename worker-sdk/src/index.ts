export type { TaskContext } from "./context.ts";
export {
  Bury,
  type CancelReason,
  Discard,
  InvalidPayload,
  InvalidResult,
  Retry,
  type RetryAfter,
  Snooze,
  TaskCancelled,
} from "./errors.ts";
export type { OutcomeKind, WorkerEvents } from "./events.ts";
export type { Middleware } from "./middleware.ts";
export type { WorkerOptions } from "./options.ts";
export type { Handler } from "./registry.ts";
export type { Task } from "./task.ts";
export { Worker } from "./worker.ts";
