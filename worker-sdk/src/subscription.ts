/**
 * Keeps one stream open to one of the brokers, as long as it is not stopped: reconnects with a jittered backoff, to the
 * next address of the list after each failure, and at once to another broker when the present one leaves.
 *
 * A worker must not hold more tasks than it can run, whatever happens to its streams. So the window of the current
 * stream is the worker's capacity less what runs here without being counted by that stream: tasks of a stream that
 * drains or broke, and handlers that do not stop although their task was taken away.
 *
 * What is settled by token also takes room until that is confirmed. And a new stream has none before: the broker would hand
 * out at once, perhaps to this very worker, what it does not know to be done.
 */
import { jitteredBackoffMs } from "@taskwire/client/connection";
import { type Hello, WorkerServiceDefinition } from "@taskwire/proto";
import type { Logger } from "pino";
import type { CancelReason } from "./errors.ts";
import type { Execution } from "./execution.ts";
import type { LateOutcomes } from "./late-outcomes.ts";
import type { Slots } from "./slots.ts";
import { type StreamOwner, WorkerStream } from "./stream.ts";
import type { CloseReason } from "./stream-states.ts";

const BACKOFF = { minMs: 100, maxMs: 5_000 };
/** A session that lived this long was a success: the next failure is the first one again. */
const STABLE_MS = 5_000;
const SETTLE_TIMEOUT_MS = 10_000;
/** How long a new stream waits at most for outcomes that are settled by token. */
const LATE_FIRST_MS = 2_000;

/** What the worker wants to hear. */
export interface SubscriptionEvents {
  connected(stream: WorkerStream, notices: readonly string[]): void;
  /** Called for sessions that had been opened only, and not for those that ended as they should. */
  lost(stream: WorkerStream, reason: CloseReason): void;
  /** No session could be opened. */
  failed(stream: WorkerStream, reason: CloseReason, retryInMs: number): void;
  released(execution: Execution): void;
  settled(executions: readonly Execution[]): void;
  refused: StreamOwner["refused"];
}

export interface SubscriptionOptions {
  readonly addresses: readonly string[];
  /** How many tasks the worker may hold. */
  readonly capacity: number;
  readonly maxInFlightBytes: number;
  readonly hello: Omit<Hello, "window">;
  readonly slots: Slots;
  readonly late: LateOutcomes;
  readonly log: Logger;
  readonly events: SubscriptionEvents;
}

export class Subscription implements StreamOwner {
  readonly #options: SubscriptionOptions;
  /** All streams that are not closed; all but the current one are draining. */
  readonly #streams = new Set<WorkerStream>();
  #current: WorkerStream | undefined;
  /** The one over whose connection late outcomes go. */
  #routed: WorkerStream | undefined;
  #addressIndex = 0;
  #failuresInARow = 0;
  #openedAt = 0;
  #reconnect: NodeJS.Timeout | undefined;
  #isStopped = false;
  /** Until when outcomes that are settled by token keep the current stream from tasks. */
  #lateFirstUntil = 0;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#connect();
  }

  /** Opens no more streams, and asks the open ones for no more tasks. They end when what they hold is settled. */
  stopDelivery(): void {
    this.#isStopped = true;
    clearTimeout(this.#reconnect);
    for (const stream of this.#streams) stream.stopDelivery();
  }

  async untilClosed(): Promise<void> {
    await Promise.all([...this.#streams].map((stream) => stream.whenClosed));
  }

  flush(): void {
    for (const stream of this.#streams) stream.flush();
  }

  abandon(message: string): void {
    this.#isStopped = true;
    clearTimeout(this.#reconnect);
    for (const stream of this.#streams) stream.abandon(message);
  }

  /** The address that would be tried next. */
  get address(): string {
    const { addresses } = this.#options;
    return addresses[this.#addressIndex % addresses.length] ?? "";
  }

  /** A handler has ended. If its task was not counted by the current stream, there is more room now. */
  ended(): void {
    this.#updateWindow();
  }

  opened(stream: WorkerStream, { notices }: { notices: string[] }): void {
    this.#openedAt = performance.now();
    const client = stream.connection.client(WorkerServiceDefinition);
    this.#routed = stream;
    this.#options.late.routeTo((request) =>
      client.settleTasks(request, { signal: AbortSignal.timeout(SETTLE_TIMEOUT_MS) }),
    );
    this.#options.events.connected(stream, notices);
    if (this.#options.late.count > 0) {
      this.#lateFirstUntil = performance.now() + LATE_FIRST_MS;
      setTimeout(() => this.#updateWindow(), LATE_FIRST_MS).unref();
    }
    // Handlers may have ended while it was connecting.
    this.#updateWindow();
  }

  delivered(_stream: WorkerStream, executions: readonly Execution[]): void {
    if (this.#options.slots.add(executions)) return;
    for (const execution of executions) this.#options.events.released(execution);
  }

  cancelled(stream: WorkerStream, tags: readonly number[], reason: CancelReason): number {
    const count = this.#options.slots.cancel(stream, tags, reason);
    // The stream subtracts them after this; a handler that goes on takes its slot along.
    setImmediate(() => {
      this.#updateWindow();
      stream.giveSign();
    });
    return count;
  }

  leaving(stream: WorkerStream, reason: string): void {
    this.#options.log.info({ address: stream.address, reason }, "the broker leaves, subscribing to another");
    if (stream !== this.#current) return;
    this.#current = undefined;
    this.#addressIndex++;
    this.#failuresInARow = 0;
    if (this.#options.addresses.length > 1) this.#connect();
    else this.#connectLater();
  }

  settled(executions: readonly Execution[]): void {
    this.#options.events.settled(executions);
  }

  refused: StreamOwner["refused"] = (execution, rejection) => this.#options.events.refused(execution, rejection);

  unconfirmed(executions: readonly Execution[]): void {
    const { late } = this.#options;
    late.add(executions);
    void late.untilIdle().then(() => this.#updateWindow());
  }

  closed(stream: WorkerStream, reason: CloseReason): void {
    this.#streams.delete(stream);
    this.#options.slots.dropWaiting(stream);
    if (stream === this.#routed) this.#options.late.routeTo(undefined);
    if (stream !== this.#current) return;
    this.#current = undefined;
    const wasOpen = stream.sessionId !== "";
    if (wasOpen) this.#options.events.lost(stream, reason);
    if (this.#isStopped) return;
    if (wasOpen && performance.now() - this.#openedAt > STABLE_MS) this.#failuresInARow = 0;
    this.#addressIndex++;
    const retryInMs = this.#connectLater();
    if (!wasOpen) this.#options.events.failed(stream, reason, retryInMs);
  }

  #connect(): void {
    if (this.#isStopped) return;
    const { hello, log, maxInFlightBytes, late } = this.#options;
    if (late.count > 0) this.#lateFirstUntil = Number.POSITIVE_INFINITY;
    const window = { maxInFlight: this.#room(), maxInFlightBytes };
    const stream = new WorkerStream({ address: this.address, hello: { ...hello, window }, owner: this, log });
    this.#current = stream;
    this.#streams.add(stream);
  }

  #connectLater(): number {
    if (this.#isStopped) return 0;
    const delayMs = jitteredBackoffMs(++this.#failuresInARow, BACKOFF);
    this.#reconnect = setTimeout(() => this.#connect(), delayMs);
    return delayMs;
  }

  #updateWindow(): void {
    this.#current?.setWindow(this.#room(), this.#options.maxInFlightBytes);
  }

  #room(): number {
    const { capacity, slots, late } = this.#options;
    if (late.count > 0 && performance.now() < this.#lateFirstUntil) return 0;
    const heldElsewhere = slots.unfinished - (this.#current?.held ?? 0);
    return Math.max(0, capacity - heldElsewhere - late.count);
  }
}
