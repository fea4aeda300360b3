/**
 * Subscribe: the frames of one worker's stream, both ways.
 *
 *     waiting for Hello ──Hello──> welcomed ──stream over──> done
 *
 * The session behind it is in delivery/session.ts; here is only what it sounds like on the wire, and the watch over both
 * sides' silence.
 */
import { type Cancel, SubscribeRequest, SubscribeResponse } from "@taskwire/proto";
import type { Outlet, Rejected, RevokeReason, Session } from "../../delivery/session.ts";
import { TaskwireError } from "../../domain/errors.ts";
import { LIMITS } from "../../domain/limits.ts";
import { VarintReader } from "../../lib/varint.ts";
import type { Broker } from "../broker.ts";
import type { BidiHandler, FrameHandler, FrameStream } from "../call.ts";
import { decodeAs } from "../parse/decode.ts";
import { Fields } from "../parse/fields.ts";
import { clampWindow, parseHello } from "../parse/hello.ts";
import { parseSettle } from "../parse/settle.ts";
import { encodeDeliver } from "../present/deliver.ts";
import { toDuration } from "../status.ts";

type Frame = NonNullable<SubscribeResponse["frame"]>;

/** The tag byte of SubscribeRequest.settle: the one frame that is read by hand. */
const SETTLE_TAG = 0x1a;
/** How many heartbeats fit into a session timeout: one may be late, and one lost. */
const HEARTBEATS_PER_TIMEOUT = 3;

export function subscribe(broker: Broker): BidiHandler {
  return (stream) => new SubscribeCall(broker, stream);
}

/** The streams that are open, so that a stopping broker can tell them. */
const openCalls = new WeakMap<Session, SubscribeCall>();

/** Tells a session's worker to go elsewhere. */
export function sendDrain(session: Session, graceMs: number): void {
  openCalls.get(session)?.drain(graceMs);
}

class SubscribeCall implements FrameHandler {
  readonly #broker: Broker;
  readonly #stream: FrameStream;
  readonly #helloTimer: NodeJS.Timeout;
  #session: Session | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #heartbeats = 0;
  #settlesUnderWay = 0;
  #ended = false;

  constructor(broker: Broker, stream: FrameStream) {
    this.#broker = broker;
    this.#stream = stream;
    this.#helloTimer = setTimeout(() => stream.fail(helloExpected("no frame came within 10 s")), LIMITS.helloMs);
  }

  /** Of all frames only a Settle is answered, and does what outlasts the stream. */
  get unanswered(): number {
    return this.#settlesUnderWay;
  }

  frame(bytes: Buffer): void {
    const session = this.#session;
    if (!session) {
      this.#first(bytes);
      return;
    }
    const wasInDoubt = session.heard();
    if (bytes[0] === SETTLE_TAG) this.#settle(session, bytes);
    else this.#handle(session, bytes);
    // After the frame was read: it may have made the window smaller.
    if (wasInDoubt) this.#broker.dispatcher.roomFreed(session);
  }

  #first(bytes: Buffer): void {
    const { frame } = decodeAs("frame", "SubscribeRequest", () => SubscribeRequest.decode(bytes));
    if (frame?.$case !== "hello")
      throw helloExpected(`the first frame is ${frame?.$case ?? "none that this broker knows"}`);
    this.#hello(frame.value);
  }

  #handle(session: Session, bytes: Buffer): void {
    const { frame } = decodeAs("frame", "SubscribeRequest", () => SubscribeRequest.decode(bytes));
    switch (frame?.$case) {
      case "hello":
        throw helloExpected("a second Hello came");
      case "window":
        session.resize(clampWindow(frame.value, this.#broker.limits).window);
        this.#broker.dispatcher.roomFreed(session);
        break;
      case "settle":
        // In an unusual encoding, or it would have been read by hand.
        this.#settle(session, Buffer.from(SubscribeRequest.encode({ frame }).finish()));
        break;
      case "extend":
        session.extend(frame.value.tags, parseExtendMs(frame.value));
        break;
      case "progress":
        session.progress(frame.value.tag, {
          percent: Math.min(100, Math.max(0, frame.value.percent || 0)),
          detail: Buffer.from(frame.value.detail),
        });
        break;
      case "stopDelivery":
        void this.#stopDelivery(session);
        break;
      case "heartbeat":
      case undefined:
        // Any frame is a sign of life; one of a newer worker is ignored.
        break;
    }
  }

  #hello(hello: Parameters<typeof parseHello>[0]): void {
    const { dispatcher, limits, logger } = this.#broker;
    const { profile, window, sessionTimeoutMs, notices } = parseHello(hello, limits);
    const session = dispatcher.open(profile, window, this.#outlet());
    clearTimeout(this.#helloTimer);
    this.#session = session;
    openCalls.set(session, this);
    const heartbeatMs = Math.floor(sessionTimeoutMs / HEARTBEATS_PER_TIMEOUT);
    this.#send({
      $case: "welcome",
      value: {
        sessionId: session.id,
        sessionTimeout: toDuration(sessionTimeoutMs),
        heartbeatInterval: toDuration(heartbeatMs),
        window: { maxInFlight: window.maxTasks, maxInFlightBytes: window.maxBytes },
        notices: [...notices],
      },
    });
    this.#heartbeat = setInterval(() => this.#beat(session, sessionTimeoutMs), heartbeatMs);
    logger.info(
      {
        sessionId: session.id,
        workerId: profile.workerId,
        queues: profile.queues.map(({ queue }) => queue),
        window: window.maxTasks,
      },
      "session opened",
    );
    this.#broker.registry.changed();
    dispatcher.roomFreed(session);
  }

  #outlet(): Outlet {
    return {
      deliver: (deliveries) =>
        encodeDeliver(deliveries).reduce((ready, frame) => this.#stream.send(frame) && ready, true),
      revoked: (tags, reason) => this.#send({ $case: "cancel", value: { tags: [...tags], reason: CANCEL[reason] } }),
      disconnect: () =>
        this.#stream.fail(
          new TaskwireError("DRAINING", "the broker lost its right to its leases: subscribe again", {
            retryAfterMs: 0,
          }),
        ),
    };
  }

  #beat(session: Session, sessionTimeoutMs: number): void {
    const silentMs = Date.now() - session.lastSeenAtMs;
    if (silentMs > sessionTimeoutMs) {
      this.#stream.fail(
        new TaskwireError("SESSION_TIMED_OUT", `the worker was silent for ${Math.round(silentMs / 1_000)} s`, {
          retryAfterMs: 0,
        }),
      );
      return;
    }
    this.#send({ $case: "heartbeat", value: { sequence: ++this.#heartbeats } });
  }

  #settle(session: Session, bytes: Buffer): void {
    const parsed = decodeAs("frame", "Settle", () => {
      const reader = new VarintReader(bytes, 1);
      const length = reader.next();
      return parseSettle(bytes, reader.at, reader.at + length, this.#broker.limits.maxPayloadBytes);
    });
    if (!parsed) throw new TaskwireError("INVALID_ARGUMENT", "the frame is not an encoded Settle");
    this.#settlesUnderWay++;
    const settling = session.settle(parsed.reports);
    // In the tick of the settle: both take one trip to the store.
    this.#broker.dispatcher.roomFreed(session);
    void settling.then((rejected) => {
      const invalid = parsed.invalid.map(({ tag, message }) => ({ tag, reason: 4 as const, message }));
      const rejections = [...rejected.map(presentRejected), ...invalid];
      this.#send({ $case: "settleResult", value: { settleId: parsed.settleId, rejections } });
      this.#settlesUnderWay--;
      this.#broker.dispatcher.roomFreed(session);
      this.#endWhenSettled();
    });
  }

  /** Confirmed only after what is being claimed for it was given back. */
  async #stopDelivery(session: Session): Promise<void> {
    session.stopDelivery();
    this.#broker.registry.changed();
    await session.claiming;
    if (session.state === "stopping") this.#send({ $case: "deliveryStopped", value: { lastTag: session.lastTag } });
  }

  /** Nothing is delivered after it: a worker that holds nothing may close its side as soon as it has heard. */
  drain(graceMs: number): void {
    this.#session?.stopDelivery();
    this.#send({ $case: "drain", value: { grace: toDuration(graceMs), reason: "the broker is stopping" } });
  }

  #send(frame: Frame): boolean {
    return this.#stream.send(Buffer.from(SubscribeResponse.encode({ frame }).finish()));
  }

  drained(): void {
    if (!this.#session) return;
    this.#session.resume();
    this.#broker.dispatcher.roomFreed(this.#session);
  }

  /** The worker closed its side: what it settled is still confirmed, what it holds goes to others. */
  ended(): void {
    this.#ended = true;
    this.#session?.stopDelivery();
    this.#endWhenSettled();
  }

  #endWhenSettled(): void {
    if (this.#ended && this.#settlesUnderWay === 0) this.#stream.end();
  }

  closed(): void {
    clearTimeout(this.#helloTimer);
    clearInterval(this.#heartbeat);
    const session = this.#session;
    if (!session) return;
    const left = session.heldCount;
    this.#broker.dispatcher.close(session, left > 0 ? "worker-lost" : "worker-left");
    this.#broker.registry.closed(session.id);
    this.#broker.logger.info(
      { sessionId: session.id, workerId: session.profile.workerId, givenBack: left },
      "session closed",
    );
  }
}

function helloExpected(what: string): TaskwireError {
  return new TaskwireError("HELLO_EXPECTED", `the first frame must be Hello, and only the first: ${what}`);
}

function parseExtendMs({ timeout }: { timeout: Parameters<Fields["durationMs"]>[1] }): number {
  const fields = new Fields();
  const ms = fields.durationMs("extend.timeout", timeout, { min: 1, max: LIMITS.timeoutMs, fallback: Number.NaN });
  if (!timeout) fields.wrong("extend.timeout", "is required");
  fields.check();
  return ms;
}

const CANCEL = { timeout: 1, cancelled: 3 } as const satisfies Record<RevokeReason, Cancel["reason"]>;

const REJECTIONS = {
  stale: { reason: 1, message: "the task is no longer this worker's" },
  "unknown-tag": { reason: 2, message: "no task with this tag was delivered on this stream" },
  unavailable: { reason: 3, message: "the store cannot be reached: settle it again later" },
} as const;

function presentRejected({ tag, reason }: Rejected) {
  return { tag, ...REJECTIONS[reason] };
}
