/** What the benchmark asks of a producer, a worker and a visitor of the HTTP door, each in a process of its own. */

/** How a queue is reached. */
export type Target =
  | { readonly kind: "taskwire"; readonly addresses: readonly string[] }
  | { readonly kind: "bullmq"; readonly redisPort: number };

/** How the payload of 100 bytes is handed to Taskwire. BullMQ knows only JSON. */
export type PayloadKind = "bytes" | "json";

/** A stream of tasks to enqueue, as fast as possible. */
export interface Load {
  readonly queue: string;
  readonly count: number;
  /** `single`: 100 calls in flight, one task each. `bulk`: 4 calls in flight, 1,000 tasks each. */
  readonly mode: "single" | "bulk";
  /** When the tasks become due: the first at `firstAt` (epoch ms), each other `stepMs` after the one before it. */
  readonly due?: { readonly firstAt: number; readonly stepMs: number };
}

/** A stream of tasks to enqueue at an even pace; each carries the time of its call. */
export interface Pace {
  readonly queue: string;
  /** So many, unless it is ended before. */
  readonly count: number;
  readonly perSecond: number;
}

/** What a handler does. */
export type Work =
  | { readonly kind: "nothing" }
  /** Records how long ago the task was enqueued. */
  | { readonly kind: "latency" }
  /** Records how long ago the task was due. */
  | { readonly kind: "lateness" }
  /** Sleeps for a time drawn evenly from a range; of every `failEvery` tasks one fails at its first attempt. */
  | { readonly kind: "sleep"; readonly minMs: number; readonly maxMs: number; readonly failEvery?: number }
  /** Keeps the task until it is told to let go. */
  | { readonly kind: "hold" }
  /** Fails for good. Taskwire only. */
  | { readonly kind: "bury" };

/** One or several workers in one process. */
export interface Crew {
  readonly queue: string;
  readonly workers: number;
  readonly concurrency: number;
  readonly work: Work;
  /** The crew is done when this many handlers have ended well. */
  readonly expected: number;
}

/** What the queue says about itself. */
export interface Counts {
  readonly waiting: number;
  readonly active: number;
  readonly completed: number;
  readonly failed: number;
  readonly retried: number;
  readonly dead: number;
}

/** A span on the clock that all processes of a machine share; see clock.ts. */
export interface Span {
  readonly startedAt: number;
  readonly endedAt: number;
}

/** A distribution of times, in ms. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** What a producer can be asked. */
export interface ProducerCommands {
  load(load: Load): Promise<Span>;
  /** Resolves with how many tasks there were. */
  pace(pace: Pace): Promise<number>;
  endPace(): Promise<void>;
  counts(of: { readonly queue: string }): Promise<Counts>;
  /** Microseconds of CPU since the process began. */
  cpu(): Promise<number>;
}

/** What a worker can be asked. */
export interface WorkerCommands {
  /** Resolves once all workers of the crew can take tasks. */
  start(crew: Crew): Promise<void>;
  /** Resolves once the expected handlers have ended, with when the first and the last of them did. */
  ended(): Promise<Span>;
  /** Resolves with the time at which handler number `number`, from 1, began. */
  began(which: { readonly number: number }): Promise<number>;
  /** Ends the handlers that hold their task. */
  letGo(): Promise<void>;
  /** What latency or lateness was recorded since the last time this was asked. */
  recorded(): Promise<Percentiles>;
  /** The latencies, in ms, of the tasks that were enqueued within a span. */
  latencies(within: Span): Promise<readonly number[]>;
  /** How many ms of handlers ran within a span, summed. */
  busy(within: Span): Promise<number>;
  /** Stops the crew. */
  stop(): Promise<void>;
  /** Microseconds of CPU since the process began. */
  cpu(): Promise<number>;
}

/** Tasks that are enqueued over HTTP, one a call, over so many connections that are kept. */
export interface WebLoad {
  readonly queue: string;
  readonly count: number;
  readonly connections: number;
}

/** A call over HTTP: the name of the RPC after `taskwire.v1.`, and its request in JSON. */
export interface WebCall {
  readonly rpc: string;
  readonly request: object;
}

/** The same call, so often, one after the other. */
export interface Repeated extends WebCall {
  readonly count: number;
}

/** How much visitors were given: events of streams, answers to calls, pages of metrics. */
export interface Visited {
  readonly events: number;
  readonly answers: number;
  readonly scrapes: number;
}

/** What a visitor of the HTTP door can be asked. */
export interface VisitorCommands {
  /** Opens three dashboards, and has the metrics scraped each second. */
  watch(): Promise<void>;
  /** Ends that. */
  leave(): Promise<Visited>;
  enqueue(load: WebLoad): Promise<Span>;
  /** How long each of the calls took. */
  repeat(calls: Repeated): Promise<Percentiles>;
  /** The answer, in JSON. */
  call(call: WebCall): Promise<unknown>;
}

/** One question to a process, and its answer. */
export interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };
