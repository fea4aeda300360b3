/**
 * The outcomes of one stream, on their way to the broker.
 *
 * - Outcomes of one turn of the event loop go in one frame. As long as several frames wait for their answers, further ones
 *   wait too, for at most 2 ms: a busy broker gets few large frames, an idle one hears at once that there is room.
 * - Each frame has a rising settle_id, and its attempts are kept until the SettleResult with this id says that they are
 *   durable. What is unconfirmed when the stream breaks is taken from here and settled by token (late-outcomes.ts).
 */
import { jitteredBackoffMs } from "@taskwire/client/connection";
import { type Rejection, Rejection_Reason, type SettleResult } from "@taskwire/proto";
import type { Execution } from "./execution.ts";
import { invalidOutcome } from "./outcome.ts";
import { encodeSettle, outcomeBytes } from "./settle-frame.ts";

/** The contract's bound on one frame. */
const MAX_OUTCOMES = 1_000;
/** Results are up to 1 MiB each: a frame must stay well below what a broker receives in one piece. */
const MAX_FRAME_BYTES = 1024 * 1024;
/** With this many unanswered frames, waiting costs nothing: the broker is busy anyway. */
const BUSY_FRAMES = 4;
const BUSY_DELAY_MS = 2;
/** So many outcomes are worth a frame of their own. */
const FULL_FRAME = 128;
const UNAVAILABLE_BACKOFF = { minMs: 100, maxMs: 5_000 };

/** What the outcomes need of their stream, and tell it. */
export interface OutcomesOptions {
  /** Sends a frame; false when it cannot take one now and will call `flush` when it can. */
  send(frame: () => Buffer): boolean;
  /** These are durable. */
  settled(executions: readonly Execution[]): void;
  /** This one did not count, and nothing can be done about it. */
  refused(execution: Execution, rejection: Rejection): void;
}

export class Outcomes {
  readonly #options: OutcomesOptions;
  #pending: Execution[] = [];
  readonly #unconfirmed = new Map<number, readonly Execution[]>();
  /** Rejected because the store was away; sent again after a pause. */
  #postponed: Execution[] = [];
  readonly #replaced = new WeakSet<Execution>();
  #lastSettleId = 0;
  #unavailableInARow = 0;
  #soon: NodeJS.Immediate | undefined;
  #later: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;

  constructor(options: OutcomesOptions) {
    this.#options = options;
  }

  add(execution: Execution): void {
    this.#pending.push(execution);
    this.#schedule();
  }

  /** Whether the broker has confirmed everything. */
  get isIdle(): boolean {
    return this.#pending.length === 0 && this.#unconfirmed.size === 0 && this.#postponed.length === 0;
  }

  /** Sends what there is, in as many frames as it takes. */
  flush(): void {
    this.#cancelTimers();
    while (this.#pending.length > 0) {
      const batch = this.#nextBatch();
      const settleId = this.#lastSettleId + 1;
      if (!this.#options.send(() => encodeSettle(settleId, batch))) return;
      this.#lastSettleId = settleId;
      this.#unconfirmed.set(settleId, batch);
      this.#pending = batch === this.#pending ? [] : this.#pending.slice(batch.length);
    }
  }

  /** The broker's answer to one frame. */
  confirm({ settleId, rejections }: SettleResult): void {
    const batch = this.#unconfirmed.get(settleId);
    if (!batch) return;
    this.#unconfirmed.delete(settleId);
    if (rejections.length === 0) {
      this.#unavailableInARow = 0;
      this.#options.settled(batch);
    } else {
      this.#reject(batch, rejections);
    }
    if (this.#pending.length > 0) this.#schedule();
  }

  /** Ends it, and hands over everything that is not confirmed. */
  takeAll(): Execution[] {
    this.#cancelTimers();
    clearTimeout(this.#again);
    const all = [...this.#unconfirmed.values(), this.#postponed, this.#pending].flat();
    this.#unconfirmed.clear();
    this.#postponed = [];
    this.#pending = [];
    return all;
  }

  #schedule(): void {
    if (this.#soon) return;
    const isBusy = this.#unconfirmed.size >= BUSY_FRAMES && this.#pending.length < FULL_FRAME;
    if (isBusy) {
      this.#later ??= setTimeout(() => this.flush(), BUSY_DELAY_MS);
    } else {
      // After the turn's input was read, so that everything that ended in this turn is in the frame.
      this.#soon = setImmediate(() => this.flush());
    }
  }

  #cancelTimers(): void {
    clearImmediate(this.#soon);
    clearTimeout(this.#later);
    this.#soon = undefined;
    this.#later = undefined;
  }

  #nextBatch(): Execution[] {
    let bytes = 0;
    const most = Math.min(this.#pending.length, MAX_OUTCOMES);
    for (const [index, execution] of this.#pending.entries()) {
      bytes += outcomeBytes(execution);
      if (index === most || (bytes > MAX_FRAME_BYTES && index > 0)) return this.#pending.slice(0, index);
    }
    return this.#pending;
  }

  #reject(batch: readonly Execution[], rejections: readonly Rejection[]): void {
    const byTag = new Map(rejections.map((rejection) => [rejection.tag, rejection]));
    const settled: Execution[] = [];
    let isUnavailable = false;
    for (const execution of batch) {
      const rejection = byTag.get(execution.delivery.tag);
      if (!rejection) settled.push(execution);
      else if (rejection.reason === Rejection_Reason.UNAVAILABLE) {
        this.#postponed.push(execution);
        isUnavailable = true;
      } else if (rejection.reason === Rejection_Reason.INVALID && !this.#replaced.has(execution)) {
        this.#replaced.add(execution);
        execution.outcome = invalidOutcome(rejection.message);
        this.#pending.push(execution);
      } else this.#options.refused(execution, rejection);
    }
    if (isUnavailable) this.#sendAgainLater();
    this.#options.settled(settled);
  }

  #sendAgainLater(): void {
    if (this.#again) return;
    this.#unavailableInARow++;
    this.#again = setTimeout(
      () => {
        this.#again = undefined;
        this.#pending.push(...this.#postponed);
        this.#postponed = [];
        this.flush();
      },
      jitteredBackoffMs(this.#unavailableInARow, UNAVAILABLE_BACKOFF),
    );
  }
}
