/**
 * Outcomes whose stream broke before they were confirmed. The handler has done its work, so it is worth telling:
 * until the task was given to somebody else, any broker takes the outcome by its lease token. When it was, the answer
 * is STALE, and the work is done twice: that is what at-least-once means, and no error.
 */
import { jitteredBackoffMs } from "@taskwire/client/connection";
import {
  Rejection_Reason,
  type SettleTasksRequest,
  type SettleTasksResponse,
  type TokenOutcome,
  type TokenResult,
} from "@taskwire/proto";
import type { Logger } from "pino";
import type { Execution } from "./execution.ts";
import { invalidOutcome, RELEASED } from "./outcome.ts";
import { outcomeBytes, presentOutcome } from "./settle-frame.ts";
import { toDuration } from "./wire-time.ts";

/** The contract's bound on one request. */
const MAX_OUTCOMES = 1_000;
const MAX_REQUEST_BYTES = 1024 * 1024;
/** Reached only when streams break all the time while the store is away; the tasks are delivered again anyway. */
const MAX_KEPT = 10_000;
const BACKOFF = { minMs: 100, maxMs: 5_000 };

/** `SettleTasks` of the broker that can be reached now. */
export type SettleTasks = (request: SettleTasksRequest) => Promise<SettleTasksResponse>;

export interface LateOutcomesOptions {
  readonly workerId: string;
  readonly log: Logger;
  settled(executions: readonly Execution[]): void;
  refused(execution: Execution, result: TokenResult): void;
}

export class LateOutcomes {
  readonly #options: LateOutcomesOptions;
  readonly #replaced = new WeakSet<Execution>();
  #kept: Execution[] = [];
  /** How long they took, ms. A broker that did not see a task does not know. */
  readonly #durations = new WeakMap<Execution, number>();
  #route: SettleTasks | undefined;
  #isSending = false;
  #failuresInARow = 0;
  #again: NodeJS.Timeout | undefined;
  #idle: (() => void)[] = [];

  constructor(options: LateOutcomesOptions) {
    this.#options = options;
  }

  add(executions: readonly Execution[]): void {
    if (executions.length === 0) return;
    const now = performance.now();
    for (const execution of executions)
      if (execution.startedAt > 0) this.#durations.set(execution, now - execution.startedAt);
    this.#kept.push(...executions);
    if (this.#kept.length > MAX_KEPT) {
      const dropped = this.#kept.splice(0, this.#kept.length - MAX_KEPT).length;
      this.#options.log.warn(
        { dropped },
        "too many unsettled outcomes, the oldest are dropped and their tasks run again",
      );
    }
    this.#start();
  }

  /** Which broker to ask from now on; undefined: none, wait. */
  routeTo(settleTasks: SettleTasks | undefined): void {
    this.#route = settleTasks;
    this.#start();
  }

  get count(): number {
    return this.#kept.length;
  }

  /** Resolves when all are settled, or refused. */
  untilIdle(): Promise<void> {
    if (this.#kept.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  stop(): void {
    this.#route = undefined;
    clearTimeout(this.#again);
    this.#kept = [];
    this.#tellIdle();
  }

  #start(): void {
    if (this.#isSending || this.#again || !this.#route || this.#kept.length === 0) return;
    this.#isSending = true;
    void this.#sendBatch(this.#route, this.#nextBatch()).then((isDone) => {
      this.#isSending = false;
      this.#failuresInARow = isDone ? 0 : this.#failuresInARow + 1;
      if (this.#kept.length === 0) this.#tellIdle();
      else if (isDone) this.#start();
      else this.#startLater();
    });
  }

  #startLater(): void {
    this.#again = setTimeout(
      () => {
        this.#again = undefined;
        this.#start();
      },
      jitteredBackoffMs(this.#failuresInARow, BACKOFF),
    );
  }

  #nextBatch(): Execution[] {
    let bytes = 0;
    const end = this.#kept.findIndex((execution, index) => {
      bytes += outcomeBytes(execution) + execution.delivery.leaseToken.length;
      return index === MAX_OUTCOMES || (bytes > MAX_REQUEST_BYTES && index > 0);
    });
    return end < 0 ? [...this.#kept] : this.#kept.slice(0, end);
  }

  /** False when something of it has to be sent again. Never rejects. */
  async #sendBatch(settleTasks: SettleTasks, batch: readonly Execution[]): Promise<boolean> {
    const { workerId } = this.#options;
    try {
      const { results } = await settleTasks({ workerId, outcomes: batch.map((execution) => this.#present(execution)) });
      const again = this.#sort(batch, results);
      const answered = new Set(batch);
      this.#kept = [...again, ...this.#kept.filter((execution) => !answered.has(execution))];
      return again.length === 0;
    } catch (error) {
      this.#options.log.debug(
        { err: error, count: batch.length },
        "outcomes could not be settled by token, trying again",
      );
      return false;
    }
  }

  #present(execution: Execution): TokenOutcome {
    const { delivery, outcome = RELEASED } = execution;
    const ms = this.#durations.get(execution);
    const duration = ms === undefined ? undefined : toDuration(ms);
    return { leaseToken: delivery.leaseToken, result: presentOutcome(outcome), duration };
  }

  /** Tells the fate of each; returns those that are to be sent again. */
  #sort(batch: readonly Execution[], results: readonly TokenResult[]): Execution[] {
    const again: Execution[] = [];
    const settled: Execution[] = [];
    for (const [index, execution] of batch.entries()) {
      const result = results[index];
      if (!result || (!result.settled && result.reason === Rejection_Reason.UNAVAILABLE)) again.push(execution);
      else if (result.settled) settled.push(execution);
      else if (result.reason === Rejection_Reason.INVALID && !this.#replaced.has(execution)) {
        this.#replaced.add(execution);
        execution.outcome = invalidOutcome(result.message);
        again.push(execution);
      } else this.#options.refused(execution, result);
    }
    this.#options.settled(settled);
    return again;
  }

  #tellIdle(): void {
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }
}
