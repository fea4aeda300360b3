import type { CancelReason } from "./errors.ts";
import { type Execution, execute, type Source } from "./execution.ts";
import type { Outcome } from "./outcome.ts";
import type { Handler } from "./registry.ts";

/** Handlers that return at once are started one after the other for this long; then I/O has its turn. */
const BURST_MS = 5;
/** A start that takes longer is remembered, in case it turns out to have blocked the event loop. */
const LONG_START_MS = 50;
/** Large enough to make the copying cheap, small enough to keep little. */
const COMPACT_AT = 256;

export interface SlotsOptions {
  readonly concurrency: number;
  /** The handler of a type, or one that says that there is none. */
  handlerOf(type: string): Handler;
  /** A handler has ended. When the task was taken away meanwhile, `execution.outcome` is not this one, or is none. */
  ended(execution: Execution, outcome: Outcome, error: unknown): void;
}

/** Runs up to `concurrency` handlers at a time; further deliveries wait in line. */
export class Slots {
  readonly #options: SlotsOptions;
  readonly #running = new Set<Execution>();
  /** Those before `#head` have been started. The line is no longer than the sum of the windows. */
  #waiting: Execution[] = [];
  #head = 0;
  /** Handlers that returned no promise are counted here only, and never in `#running`. */
  #busy = 0;
  #isPumping = false;
  #nextPump: NodeJS.Immediate | undefined;
  #longestStart: { execution: Execution; ms: number } | undefined;
  #isClosed = false;
  #idle: (() => void)[] = [];

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /** Takes deliveries; false when it is closed, and they have to go back. */
  add(executions: readonly Execution[]): boolean {
    if (this.#isClosed) return false;
    for (const execution of executions) this.#waiting.push(execution);
    this.#pump();
    return true;
  }

  /** How many are waiting or running, whoever they belong to. */
  get unfinished(): number {
    return this.#waiting.length - this.#head + this.#busy;
  }

  get running(): ReadonlySet<Execution> {
    return this.#running;
  }

  /** The execution whose synchronous part was the longest since the last call, if one was long. */
  takeLongestStart(): { execution: Execution; ms: number } | undefined {
    const longest = this.#longestStart;
    this.#longestStart = undefined;
    return longest;
  }

  /** Takes tasks of one stream away from their handlers; returns how many were there. */
  cancel(source: Source, tags: readonly number[], reason: CancelReason): number {
    const wanted = new Set(tags);
    const isMeant = (execution: Execution) =>
      execution.source === source && wanted.has(execution.delivery.tag) && !execution.isOver;
    const waiting = this.#takeWaiting(isMeant);
    const running = [...this.#running].filter(isMeant);
    for (const execution of [...waiting, ...running]) execution.cancel(reason);
    return waiting.length + running.length;
  }

  /** Forgets what was not started of a stream that broke: its tasks are somebody else's by now. */
  dropWaiting(source: Source): void {
    this.#takeWaiting((execution) => execution.source === source);
  }

  /** Starts nothing any more; returns what was waiting. */
  close(): Execution[] {
    this.#isClosed = true;
    clearImmediate(this.#nextPump);
    return this.#takeWaiting(() => true);
  }

  /** Resolves when no handler is running. */
  untilIdle(): Promise<void> {
    if (this.#busy === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #takeWaiting(isMeant: (execution: Execution) => boolean): Execution[] {
    const line = this.#waiting.slice(this.#head);
    const taken = line.filter(isMeant);
    if (taken.length === 0) return taken;
    const gone = new Set(taken);
    this.#waiting = line.filter((execution) => !gone.has(execution));
    this.#head = 0;
    return taken;
  }

  #pump(): void {
    // A handler that returns at once frees its slot within the loop below.
    if (this.#isPumping || this.#nextPump) return;
    this.#isPumping = true;
    let now = performance.now();
    const until = now + BURST_MS;
    while (this.#busy < this.#options.concurrency) {
      if (now > until) {
        this.#pumpLater();
        break;
      }
      const execution = this.#next();
      if (!execution) break;
      this.#start(execution, now);
      const startedAt = now;
      now = performance.now();
      if (now - startedAt > LONG_START_MS) this.#noteLongStart(execution, now - startedAt);
    }
    this.#isPumping = false;
  }

  #next(): Execution | undefined {
    const execution = this.#head < this.#waiting.length ? this.#waiting[this.#head++] : undefined;
    // Let go of those that were started, now and then: each holds its frame.
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return execution;
  }

  #pumpLater(): void {
    this.#nextPump = setImmediate(() => {
      this.#nextPump = undefined;
      this.#pump();
    });
  }

  #start(execution: Execution, now: number): void {
    this.#busy++;
    execution.startedAt = now;
    let hasEnded = false;
    execute(execution, this.#options.handlerOf(execution.delivery.type), (_, outcome, error) => {
      hasEnded = true;
      this.#running.delete(execution);
      this.#end(execution, outcome, error);
    });
    if (!hasEnded) this.#running.add(execution);
  }

  #end(execution: Execution, outcome: Outcome, error: unknown): void {
    this.#busy--;
    this.#options.ended(execution, outcome, error);
    if (this.#head < this.#waiting.length) this.#pump();
    if (this.#busy === 0) this.#tellIdle();
  }

  #noteLongStart(execution: Execution, ms: number): void {
    if (!this.#longestStart || ms > this.#longestStart.ms) this.#longestStart = { execution, ms };
  }

  #tellIdle(): void {
    if (this.#idle.length === 0) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }
}
