/** What a worker says about itself: its log lines and its events. */
import { EventEmitter } from "node:events";
import { Rejection_Reason } from "@taskwire/proto";
import type { Logger } from "pino";
import { Bury, Discard, Retry, Snooze } from "./errors.ts";
import type { WorkerEvents } from "./events.ts";
import type { Execution } from "./execution.ts";
import type { LoopWatch } from "./loop-watch.ts";
import type { Outcome } from "./outcome.ts";
import type { Slots } from "./slots.ts";
import type { WorkerStream } from "./stream.ts";
import type { CloseReason } from "./stream-states.ts";

/** Warnings about a blocked event loop come at most this often. */
const BLOCK_WARNING_EVERY_MS = 10_000;
/** Enough to find the culprit among. */
const MAX_BLOCKED_TASKS = 5;
/** A session that ends this soon after a long block ended because of it. */
const AFTERMATH_MS = 5_000;

/**
 * Statuses that no retry heals: somebody has to change something. They are retried all the same, and logged as errors.
 */
const PERMANENT_CODES = new Map([
  [3, "INVALID_ARGUMENT"],
  [7, "PERMISSION_DENIED"],
  [12, "UNIMPLEMENTED"],
  [16, "UNAUTHENTICATED"],
]);

const REFUSALS: Record<Rejection_Reason, string> = {
  [Rejection_Reason.UNSPECIFIED]: "refused",
  [Rejection_Reason.STALE]: "stale",
  [Rejection_Reason.UNKNOWN_TAG]: "unknown tag",
  [Rejection_Reason.UNAVAILABLE]: "unavailable",
  [Rejection_Reason.INVALID]: "invalid",
};

/** An answer that an outcome did not count. */
interface Refusal {
  readonly reason: Rejection_Reason;
  readonly message: string;
}

export class Reports {
  readonly events = new EventEmitter<WorkerEvents>();
  readonly #log: Logger;
  #lastFailure = "";
  #blocks = 0;
  #blockWarnedAt = Number.NEGATIVE_INFINITY;

  constructor(log: Logger) {
    this.#log = log;
  }

  connected({ address, sessionId }: WorkerStream, notices: readonly string[]): void {
    this.#lastFailure = "";
    this.#log.info({ address, sessionId }, "connected");
    if (notices.length > 0) this.#log.info({ notices }, "the broker changed what was asked for");
    this.events.emit("connected", { address, sessionId });
  }

  lost(stream: WorkerStream, { message, code }: CloseReason, loopWatch: LoopWatch): void {
    const { address, sessionId, sessionTimeoutMs, heartbeatIntervalMs } = stream;
    // The end of the stream may be read before the watch's own timer has its turn.
    loopWatch.check();
    const blockedMs = loopWatch.recentBlockMs(AFTERMATH_MS);
    // The last heartbeat went out up to one interval before the block.
    const isOurFault = blockedMs > sessionTimeoutMs - heartbeatIntervalMs;
    this.#log.warn({ address, sessionId, reason: message, code }, "disconnected");
    if (isOurFault) {
      this.#log.warn(
        { blockedMs: Math.round(blockedMs), sessionTimeoutMs, sessionId },
        "the session was lost because a handler blocked the event loop: its tasks were given to other workers",
      );
    }
    this.events.emit("disconnected", { address, reason: message });
  }

  /** Each kind of failure is told once; the tries after it are not. */
  failed({ address }: WorkerStream, { message, code = -1 }: CloseReason, retryInMs: number): void {
    const permanent = PERMANENT_CODES.get(code);
    const failure = `${address} ${code}`;
    const isNew = failure !== this.#lastFailure;
    this.#lastFailure = failure;
    const level = !isNew ? "debug" : permanent ? "error" : "warn";
    this.#log[level]({ address, reason: message, code, retryInMs }, "cannot connect, trying again");
  }

  /** `error` is what the handler threw; undefined when it returned something that cannot be kept. */
  attemptFailed(execution: Execution, outcome: Outcome, error: unknown): void {
    if (error === undefined) {
      this.#log.warn({ ...execution.fields(), outcome: { ...outcome } }, "the result of an attempt cannot be kept");
      return;
    }
    const isIntended = [Retry, Bury, Discard, Snooze].some((kind) => error instanceof kind);
    if (isIntended) this.#log.debug({ ...execution.fields(), err: error }, "attempt ended as the handler asked");
    else this.#log.warn({ ...execution.fields(), err: error }, "attempt failed");
  }

  settled(executions: readonly Execution[]): void {
    if (this.events.listenerCount("settled") === 0) return;
    for (const { delivery, outcome } of executions) {
      if (outcome) this.events.emit("settled", { ...identify(delivery), outcome: outcome.kind });
    }
  }

  /** `late`: by token, after its stream broke. Then stale is what one expects. */
  refused(execution: Execution, { reason, message }: Refusal, when: "in session" | "late"): void {
    // A newer broker may know more reasons than we do.
    const word = REFUSALS[reason] ?? "refused";
    const level = reason === Rejection_Reason.INVALID ? "error" : when === "late" ? "info" : "warn";
    this.#log[level]({ ...execution.fields(), reason: word, message }, "the outcome of an attempt did not count");
    this.events.emit("refused", { ...identify(execution.delivery), reason: word });
  }

  blocked(blockedMs: number, slots: Slots): void {
    this.#blocks++;
    this.events.emit("blocked", { blockedMs });
    const culprit = slots.takeLongestStart();
    const now = performance.now();
    if (now - this.#blockWarnedAt < BLOCK_WARNING_EVERY_MS) return;
    this.#blockWarnedAt = now;
    const running = [...slots.running].slice(0, MAX_BLOCKED_TASKS);
    const tasks = [
      // Known for certain: this handler did not return for so long.
      ...(culprit && !slots.running.has(culprit.execution) ? [describe(culprit.execution, culprit.ms)] : []),
      ...running.map((execution) => describe(execution, now - execution.startedAt)),
    ];
    this.#log.warn(
      { blockedMs: Math.round(blockedMs), tasks, blocks: this.#blocks },
      "the event loop was blocked: no heartbeat goes out meanwhile; work that keeps the CPU busy belongs in worker_threads",
    );
  }
}

function identify({ id, type, attempt }: Execution["delivery"]): { taskId: string; type: string; attempt: number } {
  return { taskId: id, type, attempt };
}

function describe({ delivery }: Execution, ms: number): { taskId: string; type: string; runningMs: number } {
  return { taskId: delivery.id, type: delivery.type, runningMs: Math.round(ms) };
}
