/** Every bound on what the broker accepts that no setting changes, in one table; docs/reference/limits.md is made from it. */
export const LIMITS = {
  /** Letters of a type, queue, worker id or task id. */
  nameLength: 128,
  /** Tasks in one batch or frame. */
  batchTasks: 1_000,
  /** What a message may have beyond its largest payload: a batch, for instance. */
  messageOverheadBytes: 4 * 1024 * 1024,
  /** Headers of one task. */
  headerEntries: 64,
  /** Names and values of the headers of one task together. */
  headerBytes: 8 * 1024,
  /** Letters of a content type. */
  contentTypeLength: 128,
  /** The highest priority; the lowest is its negative. */
  priority: 1_000_000,
  /** Retries that a task may ask for. */
  maxRetries: 1_000,
  /** Delays that a retry policy may list. */
  retryDelays: 32,
  /** The longest delay, and how far ahead a run time may be: 10 years. */
  delayMs: 10 * 365 * 24 * 60 * 60 * 1_000,
  /** The longest time that one attempt may take. */
  timeoutMs: 24 * 60 * 60 * 1_000,
  /** Letters of the message of a failure; what is longer is cut. */
  errorMessageLength: 4 * 1024,
  /** Letters of the type of a failure; what is longer is cut. */
  errorTypeLength: 128,
  /** Letters of the stack of a failure; what is longer is cut. */
  errorStackLength: 4 * 1024,
  /** Attempts of one task that are kept. */
  attemptsKept: 10,
  /** Letters of all errors and stacks of the attempts that are kept; the oldest make room. The last attempt is always kept. */
  attemptsLength: 32 * 1024,
  /** Letters of the reason of a cancellation. */
  cancelReasonLength: 256,
  /** Queues that one worker subscribes to. */
  queuesPerSession: 256,
  /** Types that one worker names for one queue. */
  typesPerQueue: 256,
  /** Labels of one worker. */
  labels: 32,
  /** Letters of a label's name or value. */
  labelLength: 256,
  /** How long a stream may stay silent before its Hello. */
  helloMs: 10_000,
  /** How long a worker may stay silent before its session ends. */
  sessionTimeoutMs: { min: 1_000, max: 5 * 60 * 1_000, default: 30_000 },
  /** The longest time that PullTasks waits for tasks. */
  pullWaitMs: 60_000,
  /** Time between two messages of WatchStats. */
  statsIntervalMs: { min: 250, max: 60 * 60 * 1_000, default: 1_000 },
  /** Queues in one page of ListQueues. */
  queuesPerPage: { max: 1_000, default: 100 },
  /** Tasks in one page of ListTasks. */
  tasksPerPage: { max: 500, default: 50 },
  /** The largest payload that ListTasks shows. */
  listedPayloadBytes: 1_024,
  /** Of tasks that are completed or cancelled: how many of each queue are listed at least. */
  listedEnded: 1_000,
  /** Groups of failures of one queue. What is beyond belongs to none. */
  failureGroups: 1_000,
  /** Dead tasks that one request may name. */
  namedDeadTasks: 1_000,
  /** Tasks a second that a limit of a queue may allow. */
  enqueueRate: { min: 0.001, max: 1_000_000 },
  /** Tasks that a limit of a queue may allow at once. */
  enqueueBurst: { min: 1, max: 1_000_000 },
  /** HTTP connections at a time; more are closed at once. */
  httpConnections: 5_000,
  /** HTTP requests under way at a time; more are refused. */
  httpRequests: 5_000,
  /** Bodies of HTTP requests that are not complete yet, together; more are refused. */
  httpBodiesBytes: 256 * 1024 * 1024,
  /** The headers of one HTTP request. */
  httpHeaderBytes: 16 * 1024,
  /** How long the headers of an HTTP request may take to come. */
  httpHeadersMs: 10_000,
  /** How long an HTTP connection may be without a request before it is closed. */
  httpIdleMs: 60_000,
  /** How long the reader of an HTTP stream may be behind before its connection is cut. */
  httpBehindMs: 5_000,
} as const;
