/**
 * One session: a Subscribe stream over a connection of its own, from Hello to its end.
 *
 *     connecting ──Welcome──▶ open ──Drain, stopDelivery()──▶ draining ──all settled──▶ closed
 *         └──────────────────────┴──── the stream broke, the broker is silent ─────────────▲
 *
 * Closed is for ever: a new stream is made for the next session. What was unconfirmed then goes to the owner, who
 * settles it by token.
 */
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { Connection } from "@taskwire/client/connection";
import {
  Cancel_Reason,
  type Hello,
  type Rejection,
  SubscribeRequest,
  SubscribeResponse,
  type Welcome,
  WorkerServiceDefinition,
} from "@taskwire/proto";
import type { Logger } from "pino";
import { type Delivery, deliveriesOf, readDeliver } from "./delivery.ts";
import type { CancelReason } from "./errors.ts";
import { Execution, type Source } from "./execution.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Outcomes } from "./outcomes.ts";
import { ProgressReports } from "./progress.ts";
import type { CloseReason, StreamState } from "./stream-states.ts";
import { fromDuration, toDuration } from "./wire-time.ts";

const SUBSCRIBE_PATH = `/${WorkerServiceDefinition.fullName}/${WorkerServiceDefinition.methods.subscribe.name}`;
/** A broker answers Hello at once; a host that swallows packets never does. */
const WELCOME_TIMEOUT_MS = 10_000;
/** How long the broker may take to end a stream whose worker has said its last word. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Used where a Welcome names no interval, which no broker of ours does. */
const DEFAULT_HEARTBEAT_MS = 10_000;
const DEFAULT_SESSION_TIMEOUT_MS = 30_000;

/** What a stream tells whoever opened it. */
export interface StreamOwner {
  opened(stream: WorkerStream, welcome: Welcome): void;
  delivered(stream: WorkerStream, executions: readonly Execution[]): void;
  /** The broker took tasks away. Returns how many of them had not ended. */
  cancelled(stream: WorkerStream, tags: readonly number[], reason: CancelReason): number;
  /** The broker leaves. */
  leaving(stream: WorkerStream, reason: string): void;
  settled(executions: readonly Execution[]): void;
  refused(execution: Execution, rejection: Pick<Rejection, "reason" | "message">): void;
  /** These have outcomes that this stream cannot deliver. */
  unconfirmed(executions: readonly Execution[]): void;
  closed(stream: WorkerStream, reason: CloseReason): void;
}

export interface StreamOptions {
  readonly address: string;
  readonly hello: Hello;
  readonly owner: StreamOwner;
  readonly log: Logger;
}

export class WorkerStream implements Source {
  readonly address: string;
  readonly log: Logger;
  readonly connection: Connection;
  /** Resolves when it is closed. */
  readonly whenClosed: Promise<void>;
  /** Empty until Welcome. */
  sessionId = "";
  /** How long the broker waits for a sign of life, ms. */
  sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS;
  heartbeatIntervalMs = DEFAULT_HEARTBEAT_MS;
  readonly #owner: StreamOwner;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #outcomes: Outcomes;
  readonly #progress: ProgressReports;
  #resolveClosed: () => void = () => {};
  #state: StreamState;
  #held = 0;
  #window: number;

  constructor({ address, hello, owner, log }: StreamOptions) {
    this.address = address;
    this.log = log;
    this.#owner = owner;
    this.#window = hello.window?.maxInFlight ?? 0;
    this.whenClosed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#outcomes = new Outcomes({
      send: (frame) => this.#sendWhenWritable(frame),
      settled: (executions) => owner.settled(executions),
      refused: (execution, rejection) => owner.refused(execution, rejection),
    });
    this.#progress = new ProgressReports((tag, { percent, detail = new Uint8Array() }) =>
      this.#send({ $case: "progress", value: { tag, percent, detail } }),
    );
    this.connection = new Connection({ address });
    this.#call = this.#open();
    this.#state = {
      kind: "connecting",
      timer: setTimeout(() => this.abandon(`no Welcome within ${WELCOME_TIMEOUT_MS / 1_000} s`), WELCOME_TIMEOUT_MS),
    };
    this.#send({ $case: "hello", value: hello });
  }

  get state(): StreamState["kind"] {
    return this.#state.kind;
  }

  /** How many of its tasks have no outcome yet. */
  get held(): number {
    return this.#held;
  }

  /** Says how much it may hold from now on; nothing when that is what was said last. */
  setWindow(maxInFlight: number, maxInFlightBytes: number): void {
    if (this.#state.kind !== "open" || maxInFlight === this.#window) return;
    this.#window = maxInFlight;
    this.#send({ $case: "window", value: { maxInFlight, maxInFlightBytes } });
  }

  /** Says that we are here: a broker that took a task away from us wants to hear it before it gives us another. */
  giveSign(): void {
    if (this.#state.kind === "open") this.#state.heartbeat.beat();
  }

  /** Asks for no more tasks. The stream ends by itself when what it holds is settled. */
  stopDelivery(): void {
    if (this.#state.kind === "connecting") this.abandon("the worker is stopping");
    if (this.#state.kind !== "open") return;
    this.#send({ $case: "stopDelivery", value: {} });
    this.#become({ kind: "draining", heartbeat: this.#state.heartbeat, deliveryEnded: false, timer: undefined });
  }

  /** Ends it at once. The broker gives what it held to others. */
  abandon(message: string): void {
    this.#become({ kind: "closed", reason: { message, code: undefined } });
  }

  /** Sends what waits for the end of this turn: the process is about to leave. */
  flush(): void {
    this.#outcomes.flush();
  }

  progress(execution: Execution, percent: number, detail: Uint8Array | undefined): void {
    if (this.#state.kind !== "closed") this.#progress.add(execution, { percent, detail });
  }

  extend({ delivery }: Execution, ms: number): void {
    if (this.#state.kind !== "closed")
      this.#send({ $case: "extend", value: { tags: [delivery.tag], timeout: toDuration(ms) } });
  }

  settle(execution: Execution): void {
    this.#held--;
    if (this.#state.kind === "closed") this.#owner.unconfirmed([execution]);
    else this.#outcomes.add(execution);
  }

  #open(): ClientDuplexStream<Buffer, Buffer> {
    const call = this.connection.openStream(SUBSCRIBE_PATH);
    call.on("data", (frame: Buffer) => this.#receive(frame));
    call.on("drain", () => this.#outcomes.flush());
    // The status tells the same, and also comes when all is well.
    call.on("error", () => {});
    call.on("status", ({ code, details }) => {
      this.#become({ kind: "closed", reason: { message: details || "the broker ended the stream", code } });
    });
    return call;
  }

  #receive(frame: Buffer): void {
    if (this.#state.kind === "closed") return;
    if (this.#state.kind !== "connecting") this.#state.heartbeat.heard();
    let deliveries: Delivery[] | undefined;
    let other: SubscribeResponse["frame"];
    try {
      deliveries = readDeliver(frame);
      if (!deliveries) other = SubscribeResponse.decode(frame).frame;
    } catch (error) {
      this.log.error({ err: error }, "the broker sent a frame that cannot be read");
      this.abandon("a frame could not be read");
      return;
    }
    if (deliveries) this.#deliver(deliveries);
    else if (other) this.#handle(other);
  }

  #deliver(deliveries: readonly Delivery[]): void {
    this.#held += deliveries.length;
    this.#owner.delivered(
      this,
      deliveries.map((delivery) => new Execution(delivery, this)),
    );
  }

  #handle(frame: NonNullable<SubscribeResponse["frame"]>): void {
    switch (frame.$case) {
      case "welcome":
        this.#welcome(frame.value);
        break;
      case "deliver":
        this.#deliver(deliveriesOf(frame.value));
        break;
      case "settleResult":
        this.#outcomes.confirm(frame.value);
        this.#endIfDone();
        break;
      case "cancel":
        this.#held -= this.#owner.cancelled(this, frame.value.tags, cancelReason(frame.value.reason));
        this.#endIfDone();
        break;
      case "heartbeat":
        break;
      case "drain":
        this.#drain(frame.value.reason);
        break;
      case "deliveryStopped":
        this.#deliveryStopped();
    }
  }

  #welcome(welcome: Welcome): void {
    if (this.#state.kind !== "connecting") return;
    this.sessionId = welcome.sessionId;
    const { sessionTimeout, heartbeatInterval } = welcome;
    this.sessionTimeoutMs = (sessionTimeout && fromDuration(sessionTimeout)) || DEFAULT_SESSION_TIMEOUT_MS;
    this.heartbeatIntervalMs = (heartbeatInterval && fromDuration(heartbeatInterval)) || DEFAULT_HEARTBEAT_MS;
    const heartbeat = new Heartbeat({
      intervalMs: this.heartbeatIntervalMs,
      timeoutMs: this.sessionTimeoutMs,
      send: (sequence) => this.#send({ $case: "heartbeat", value: { sequence } }),
      silent: (silentMs) => this.abandon(`the broker was silent for ${Math.round(silentMs)} ms`),
    });
    this.#become({ kind: "open", heartbeat });
    this.#owner.opened(this, welcome);
  }

  #drain(reason: string): void {
    // We were leaving before it did.
    this.#deliveryStopped();
    if (this.#state.kind !== "open") return;
    this.#become({ kind: "draining", heartbeat: this.#state.heartbeat, deliveryEnded: true, timer: undefined });
    this.#owner.leaving(this, reason);
    this.#endIfDone();
  }

  #deliveryStopped(): void {
    if (this.#state.kind !== "draining" || this.#state.deliveryEnded) return;
    this.#become({ ...this.#state, deliveryEnded: true });
    this.#endIfDone();
  }

  /** Closes our side once everything is settled, so that the broker can end the stream. */
  #endIfDone(): void {
    const state = this.#state;
    if (state.kind !== "draining" || !state.deliveryEnded || state.timer) return;
    if (this.#held > 0 || !this.#outcomes.isIdle) return;
    this.#call.end();
    this.#become({
      ...state,
      timer: setTimeout(() => this.abandon("the broker did not end the stream"), CLOSE_TIMEOUT_MS),
    });
  }

  #become(next: StreamState): void {
    const last = this.#state;
    if (last.kind === "closed") return;
    if (last.kind === "connecting" || last.kind === "draining") clearTimeout(last.timer);
    this.#state = next;
    if (next.kind !== "closed") return;
    if (last.kind !== "connecting") last.heartbeat.stop();
    this.#progress.stop();
    this.#call.cancel();
    this.connection.close();
    this.#owner.unconfirmed(this.#outcomes.takeAll());
    this.#owner.closed(this, next.reason);
    this.#resolveClosed();
  }

  #send(frame: NonNullable<SubscribeRequest["frame"]>): void {
    // A status can arrive before we hear that the stream is closed; what is written then is lost with it.
    if (this.#call.writable) this.#call.write(Buffer.from(SubscribeRequest.encode({ frame }).finish()));
  }

  /** Outcomes wait while the transport is full: they join into larger frames until it is not. */
  #sendWhenWritable(frame: () => Buffer): boolean {
    if (this.#call.writableNeedDrain || !this.#call.writable) return false;
    this.#call.write(frame());
    return true;
  }
}

function cancelReason(reason: Cancel_Reason): CancelReason {
  if (reason === Cancel_Reason.TIMEOUT) return "timeout";
  return reason === Cancel_Reason.CANCELLED ? "cancelled" : "revoked";
}
