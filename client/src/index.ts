export { type CancelOptions, Client, type FollowOptions } from "./client.ts";
export type { Enqueued } from "./enqueued.ts";
export {
  AbortError,
  DeadlineExceeded,
  type ErrorFacts,
  type FailedTask,
  type FieldViolation,
  InvalidTask,
  ResourceExhausted,
  SomeNotEnqueued,
  TaskFailed,
  TaskNotFound,
  TaskwireError,
  Unavailable,
} from "./errors.ts";
export type { EnqueueOptions, NewTask, Payload, RetryPolicy, TaskOptions } from "./new-task.ts";
export type { CallOptions, ClientOptions } from "./options.ts";
export type { QueueCounters, Stats, WatchStatsOptions } from "./stats.ts";
export type { Attempt, AttemptResult, TaskState, TaskStatus } from "./task-status.ts";
