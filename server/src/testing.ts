/** What tests outside this package may use. Not for applications: it may change in any release. */
export { type App, createApp } from "./app.ts";
export { loadConfig } from "./config/load.ts";
export type { Config } from "./config/schema.ts";
export { TaskwireError } from "./domain/errors.ts";
export { groupOfFailure } from "./domain/failure-group.ts";
export {
  blockKey,
  callerKey,
  INDEX_TEXT,
  keyIndex,
  MAX_BLOCK_TASKS,
  newBrokerId,
  newNonce,
  newTaskKey,
  parseBlockKey,
  parseTaskId,
  queueTag,
  taskId,
} from "./domain/ids.ts";
export { type Lease, leasedKey, leaseToken, parseLeaseToken } from "./domain/lease.ts";
export { LIMITS } from "./domain/limits.ts";
export { hasEnded, type TaskState, TRANSITIONS } from "./domain/state.ts";
export { createLogger, type Logger } from "./observe/logger.ts";
export { eachBody, joinBodies } from "./store/bodies.ts";
export { createEmbeddedStore } from "./store/embedded/embedded-store.ts";
export { createRedisStore } from "./store/redis/redis-store.ts";
export type {
  Attempt,
  AttemptResult,
  Cancelled,
  ClaimLimit,
  DeadMove,
  Durability,
  Enqueued,
  EnqueueRate,
  Failure,
  FailureGroup,
  Grant,
  LeasedTask,
  ListedTask,
  ListPage,
  ListPosition,
  ListQuery,
  NewTask,
  Outcome,
  Producer,
  Promotion,
  QueueCounters,
  QueuePolicy,
  QueueStats,
  Sample,
  Settled,
  Settlement,
  Store,
  StoreEvents,
  StoreOptions,
  TaskSnapshot,
  WorkerRecord,
} from "./store/store.ts";
export { SAMPLE_MS, SAMPLES_KEPT } from "./store/store.ts";
