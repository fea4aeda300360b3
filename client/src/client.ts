import { Brokers } from "./brokers.ts";
import { aborted, SingleCaller } from "./enqueue/caller.ts";
import { text } from "./enqueue/checks.ts";
import { enqueueAll } from "./enqueue/enqueue-all.ts";
import { Producer } from "./enqueue/producer.ts";
import { taskParts } from "./enqueue/task-bytes.ts";
import type { Enqueued } from "./enqueued.ts";
import { TaskwireError } from "./errors.ts";
import { awaitTask, cancelTask, getTask, resultOf, type TaskName } from "./follow.ts";
import type { EnqueueOptions, NewTask, Payload } from "./new-task.ts";
import {
  type CallOptions,
  type ClientOptions,
  type CompleteClientOptions,
  completeCallOptions,
  completeClientOptions,
} from "./options.ts";
import { Patience } from "./patience.ts";
import { type Stats, type WatchStatsOptions, watchStats } from "./stats.ts";
import type { TaskStatus } from "./task-status.ts";

/** How to find a task, and how long to try. */
export interface FollowOptions extends CallOptions {
  /** The queue of the task. Needed with an id of your own; an id made by the broker is enough by itself. */
  readonly queue?: string | undefined;
}

/** How to cancel a task. */
export interface CancelOptions extends FollowOptions {
  /** Why, for whoever looks at the task later. At most 256 letters. */
  readonly reason?: string | undefined;
}

/**
 * Enqueues tasks and follows them. One client is enough for a process: calls made at the same time travel together.
 *
 * @example
 * ```ts
 * await using client = new Client({ address: "127.0.0.1:50051" });
 * const { taskId } = await client.enqueue("email", { to: "a@b.c" }, { maxRetries: 5 });
 * console.log(await client.result(taskId));
 * ```
 */
export class Client implements AsyncDisposable {
  readonly #options: CompleteClientOptions;
  readonly #brokers: Brokers;
  readonly #producer: Producer;
  readonly #closing = new AbortController();
  /** Calls to wait for before the connections are closed. */
  readonly #underWay = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  /** Connects in the background. Throws a TypeError when an option makes no sense. */
  constructor(options: ClientOptions) {
    this.#options = completeClientOptions(options);
    this.#brokers = new Brokers(this.#options.addresses);
    this.#producer = new Producer(this.#brokers, this.#options.maxBufferedBytes);
    this.#brokers.current().connect();
  }

  /**
   * Adds a task; resolves when the broker has it, as durable as `durability` says. A call whose connection breaks is made
   * again, and never adds the task twice.
   *
   * @throws InvalidTask when fields of the task are wrong
   * @throws ResourceExhausted when there is no room for it
   * @throws Unavailable, DeadlineExceeded when the deadline has passed; `effect` says whether the task may be enqueued
   * @throws AbortError when the signal was aborted; `effect` as before
   * @throws TypeError when an argument cannot be sent at all
   */
  enqueue(type: string, payload: Payload, options: EnqueueOptions = {}): Promise<Enqueued> {
    try {
      if (this.#closed) throw clientClosed();
      const { deadlineMs, signal } = completeCallOptions(options, this.#options);
      if (signal?.aborted) throw aborted(signal, "none");
      const task = taskParts(type, payload, options);
      const caller = new SingleCaller({ deadlineAt: performance.now() + deadlineMs, deadlineMs, signal }, type);
      this.#producer.enqueue(task, caller);
      return caller.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Adds any number of tasks, the fastest way; resolves when the broker has all of them, with one entry for each, in order.
   * Tasks are taken from the input as fast as the brokers take them, so it may be longer than memory.
   *
   * @throws SomeNotEnqueued when at least one was not, or perhaps not, added; the others were, and `results` says which.
   * After a failure that is not about one task alone no more tasks are taken.
   */
  enqueueMany(tasks: Iterable<NewTask> | AsyncIterable<NewTask>, options: CallOptions = {}): Promise<Enqueued[]> {
    return this.#track(async () => {
      const complete = completeCallOptions(options, this.#options);
      return enqueueAll(this.#producer, tasks, complete);
    });
  }

  /**
   * What the broker knows of a task.
   * @throws TaskNotFound when it never existed, or its result is no longer kept
   */
  get(taskId: string, options: FollowOptions = {}): Promise<TaskStatus> {
    return this.#track(() => this.#follow(getTask, taskId, options));
  }

  /**
   * Waits until a task has ended, well or not; also across a change of brokers.
   * @throws TaskNotFound when it never existed, or its result is no longer kept
   * @throws DeadlineExceeded when it has not ended by the deadline
   */
  async await(taskId: string, options: FollowOptions = {}): Promise<TaskStatus> {
    return this.#follow(awaitTask, taskId, options);
  }

  /**
   * Waits until a task has ended; resolves with what its handler returned: parsed if it is JSON, else as bytes; undefined if
   * it returned nothing. `Result` is not checked.
   * @throws TaskFailed when it ended without success
   * @throws TaskNotFound when it never existed, or its result is no longer kept
   * @throws DeadlineExceeded when it has not ended by the deadline
   */
  async result<Result = unknown>(taskId: string, options: FollowOptions = {}): Promise<Result> {
    // The caller knows what the handler returns; nobody else does.
    return resultOf(await this.#follow(awaitTask, taskId, options)) as Result;
  }

  /**
   * Ends a task that has not ended. What waits is never run after this; a handler that runs is told by its `ctx.signal`, and what
   * it returns no longer counts. A task that was cancelled before stays so.
   * @returns whether a worker had it
   * @throws TaskNotFound when it never existed, or its result is no longer kept
   * @throws TaskwireError with reason `TASK_ENDED` when it has ended otherwise
   */
  cancel(taskId: string, options: CancelOptions = {}): Promise<boolean> {
    const reason = text("reason", options.reason);
    return this.#track(() =>
      this.#follow((brokers, patience, name) => cancelTask(brokers, patience, name, reason), taskId, options),
    );
  }

  /**
   * The numbers of all queues, at once and then at every interval.
   * @throws Unavailable when no broker could be reached for as long as `deadlineMs` of the client
   */
  watchStats(options: WatchStatsOptions = {}): AsyncIterable<Stats> {
    const { deadlineMs } = this.#options;
    return watchStats(this.#brokers, options, { deadlineMs, closed: this.#closing.signal });
  }

  /**
   * Takes no more calls, waits for the answers of `enqueue`, `enqueueMany`, `get` and `cancel`, ends all others with an error, and
   * closes the connections. Safe to call twice.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await this.#producer.close();
    this.#closing.abort(clientClosed());
    this.#brokers.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #follow<Answer>(
    call: (brokers: Brokers, patience: Patience, name: TaskName) => Promise<Answer>,
    taskId: string,
    options: FollowOptions,
  ): Promise<Answer> {
    if (this.#closed) throw clientClosed();
    const name = { taskId: text("taskId", taskId), queue: text("queue", options.queue) };
    const patience = new Patience(completeCallOptions(options, this.#options), this.#closing.signal);
    try {
      return await call(this.#brokers, patience, name);
    } finally {
      patience.end();
    }
  }

  /** Makes a call that `close` waits for. */
  async #track<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.#closed) throw clientClosed();
    const result = call();
    this.#underWay.add(result);
    try {
      return await result;
    } finally {
      this.#underWay.delete(result);
    }
  }
}

function clientClosed(): TaskwireError {
  return new TaskwireError("the client was closed", { code: "CANCELLED" });
}
