/** Every bound on what the broker accepts that no setting changes, in one table; docs/reference/limits.md is made from it. */
export const LIMITS = {
  /** Letters of a type, queue, worker id or task id. */
  nameLength: 128,
  /** Tasks in one batch or frame. */
  batchTasks: 1_000,
  headerEntries: 64,
  headerBytes: 8 * 1024,
  contentTypeLength: 128,
  priority: 1_000_000,
  maxRetries: 1_000,
  retryDelays: 32,
  /** The longest delay, and how far ahead a run time may be: 10 years. */
  delayMs: 10 * 365 * 24 * 60 * 60 * 1_000,
  timeoutMs: 24 * 60 * 60 * 1_000,
  errorMessageLength: 4 * 1024,
  errorTypeLength: 128,
  /** Queues that one worker subscribes to. */
  queuesPerSession: 256,
  typesPerQueue: 256,
  labels: 32,
  labelLength: 256,
  /** How long a stream may stay silent before its Hello. */
  helloMs: 10_000,
  sessionTimeoutMs: { min: 1_000, max: 5 * 60 * 1_000, default: 30_000 },
  pullWaitMs: 60_000,
  statsIntervalMs: { min: 250, max: 60 * 60 * 1_000, default: 1_000 },
  queuesPerPage: { max: 1_000, default: 100 },
} as const;
