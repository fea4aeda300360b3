import type { WorkerEvents } from "./events.ts";
import type { Execution } from "./execution.ts";
import { LateOutcomes } from "./late-outcomes.ts";
import { LoopWatch } from "./loop-watch.ts";
import { compose, type Middleware } from "./middleware.ts";
import { type ResolvedOptions, resolveOptions, type WorkerOptions } from "./options.ts";
import { type Outcome, RELEASED } from "./outcome.ts";
import { type Handler, Registry } from "./registry.ts";
import { Reports } from "./reports.ts";
import { leave, onSignals, type Parts, shutDown } from "./shutdown.ts";
import { Slots } from "./slots.ts";
import { Subscription } from "./subscription.ts";
import { toDuration } from "./wire-time.ts";

const SDK = "taskwire-ts/0.1.0";

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly parts: Parts; readonly finish: () => void }
  | { readonly kind: "stopping"; readonly stopped: Promise<void> }
  | { readonly kind: "stopped" };

/**
 * Takes tasks from a broker and runs their handlers.
 *
 * @example
 * ```ts
 * const worker = new Worker({ address: "127.0.0.1:50051", concurrency: 5 });
 * worker.handle<{ to: string }>("email", async (task, ctx) => {
 *   await send(task.payload.to, { signal: ctx.signal });
 *   return { sent: true };
 * });
 * await worker.run();
 * ```
 */
export class Worker {
  /** `<host>-<8 hex digits>` unless chosen; the same for all its sessions. */
  readonly id: string;
  readonly #options: ResolvedOptions;
  readonly #registry = new Registry();
  readonly #middleware: Middleware[] = [];
  readonly #reports: Reports;
  #state: State = { kind: "idle" };

  /** @throws TypeError or RangeError that names the option which is wrong */
  constructor(options: WorkerOptions = {}) {
    this.#options = resolveOptions(options);
    this.id = this.#options.workerId;
    this.#reports = new Reports(this.#options.log);
  }

  /**
   * Sets the handler of a type.
   *
   * @throws Error when the type has one already, or the worker was started; TypeError when it is not a type's name
   */
  handle<Payload = unknown>(type: string, handler: Handler<Payload>): this {
    this.#checkIdle("handle");
    // What a payload really is, only its producer knows; the type parameter is where the user says it.
    this.#registry.add(type, handler as Handler);
    return this;
  }

  /**
   * Puts middleware around all handlers, also those that are set later; the first one is the outermost.
   *
   * @throws Error when the worker was started
   */
  use(middleware: Middleware): this {
    this.#checkIdle("use");
    this.#middleware.push(middleware);
    return this;
  }

  /** Calls `listener` at each event of this name. */
  on<Name extends keyof WorkerEvents>(name: Name, listener: (...args: WorkerEvents[Name]) => void): this {
    // EventEmitter's own listener type is conditional on the map and does not see that a name of it is one.
    this.#reports.events.on(name, listener as never);
    return this;
  }

  /** Calls `listener` no more. */
  off<Name extends keyof WorkerEvents>(name: Name, listener: (...args: WorkerEvents[Name]) => void): this {
    this.#reports.events.off(name, listener as never);
    return this;
  }

  /**
   * Takes tasks until {@link stop} is called or, unless `signals` is false, SIGINT or SIGTERM comes. It stays
   * connected as well as it can: brokers that cannot be reached are tried again for ever.
   *
   * @throws Error when there is no handler, or the worker was started before
   */
  async run(): Promise<void> {
    this.#checkIdle("run");
    if (this.#registry.types.length === 0) throw new Error("a worker needs a handler: call handle() before run()");
    this.#warnOfQueues();
    const parts = this.#build();
    const finished = new Promise<void>((resolve) => {
      this.#state = { kind: "running", parts, finish: resolve };
    });
    const ignoreSignals = this.#options.signals ? this.#heedSignals(parts) : () => {};
    parts.subscription.start();
    await finished;
    ignoreSignals();
  }

  /**
   * Takes no more tasks, lets running handlers finish for `shutdownMs`, gives the others back, and resolves when the
   * broker has heard of everything. Safe to call twice.
   */
  async stop(): Promise<void> {
    const state = this.#state;
    if (state.kind === "stopping") return state.stopped;
    if (state.kind !== "running") {
      this.#state = { kind: "stopped" };
      return;
    }
    const stopped = shutDown(state.parts, this.#options).then(() => {
      this.#state = { kind: "stopped" };
      state.finish();
    });
    this.#state = { kind: "stopping", stopped };
    return stopped;
  }

  #warnOfQueues(): void {
    const { log, queues } = this.#options;
    const types = this.#registry.withoutQueue(queues);
    if (types.length === 0) return;
    log.warn(
      { types, queues },
      "tasks of these types come only if they are enqueued into the queues of this worker: their own queues are not among them",
    );
  }

  #heedSignals(parts: Parts): () => void {
    const { log } = this.#options;
    return onSignals(process, {
      stop: (signal) => {
        log.info({ signal, running: parts.slots.running.size }, "stopping; a second signal leaves at once");
        void this.stop();
      },
      leave: (exitCode) => {
        log.warn({ running: parts.slots.running.size }, "leaving at once");
        void leave(parts).then(() => process.exit(exitCode));
      },
    });
  }

  #build(): Parts {
    const { concurrency, prefetch, maxInFlightBytes, addresses, blockWarnMs, log } = this.#options;
    const reports = this.#reports;
    const handlerOf = this.#registry.resolve((handler) => compose(this.#middleware, handler));
    const slots = new Slots({
      concurrency,
      handlerOf: (type) => handlerOf(type) ?? noHandler,
      ended: (execution, outcome, error) => {
        this.#ended(execution, outcome, error);
        subscription.ended();
      },
    });
    const late = new LateOutcomes({
      workerId: this.id,
      log,
      settled: (executions) => reports.settled(executions),
      refused: (execution, result) => reports.refused(execution, result, "late"),
    });
    const loopWatch = new LoopWatch({ warnMs: blockWarnMs, blocked: (ms) => reports.blocked(ms, slots) });
    const subscription = new Subscription({
      addresses,
      capacity: concurrency + prefetch,
      maxInFlightBytes,
      hello: this.#hello(),
      slots,
      late,
      log,
      events: {
        connected: (stream, notices) => reports.connected(stream, notices),
        lost: (stream, reason) => reports.lost(stream, reason, loopWatch),
        failed: (stream, reason, retryInMs) => reports.failed(stream, reason, retryInMs),
        released: (execution) => execution.giveBack(RELEASED),
        settled: (executions) => reports.settled(executions),
        refused: (execution, rejection) => reports.refused(execution, rejection, "in session"),
      },
    });
    return { slots, late, subscription, loopWatch };
  }

  #hello() {
    const { workerId, host, labels, queues, concurrency, sessionTimeoutMs } = this.#options;
    return {
      workerId,
      host,
      sdk: SDK,
      labels: { ...labels },
      queues: this.#registry.subscriptions(queues).map((subscription) => ({ ...subscription, maxInFlight: 0 })),
      sessionTimeout: toDuration(sessionTimeoutMs),
      concurrency,
    };
  }

  #ended(execution: Execution, outcome: Outcome, error: unknown): void {
    // The task was taken away, or given back: somebody else does it.
    if (execution.isOver) return;
    execution.outcome = outcome;
    if (outcome.kind !== "ack") this.#reports.attemptFailed(execution, outcome, error);
    execution.source.settle(execution);
  }

  #checkIdle(method: string): void {
    if (this.#state.kind !== "idle")
      throw new Error(`${method}() must be called before the worker is started or stopped`);
  }
}

/** Runs in place of a handler that does not exist. Not buried: the worker that has it may be on its way. */
const noHandler: Handler = ({ type }) => {
  throw new NoHandler(`no handler registered for task type: ${type}`);
};

class NoHandler extends Error {
  override readonly name = "NoHandler";
}
