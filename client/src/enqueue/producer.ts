/**
 * Takes tasks from callers to the brokers.
 *
 * Tasks of one tick and one queue go together: each is written into the frame that is being filled, and frames leave on
 * `nextTick`, after all callers of this tick have had their turn. (A microtask would come between them; a timer would cost
 * most of the rate.)
 *
 * A frame waits in the outbox until there is room in the window. Then it gets a sequence, and is unanswered until the broker
 * says what became of it. From then on its bytes are fixed: when a stream breaks nobody knows which of its frames were
 * accepted, so all are sent again, over the next stream, and the broker knows those that it has seen by their sequence.
 *
 * Streams: none until there is something to send; then open; ending, without new frames, when the broker stops; after a
 * failure a pause, or at once the next broker.
 */
import { status as Code } from "@grpc/grpc-js";
import type { Enqueued } from "../enqueued.ts";
import { isTransient, isUnsent, plainRefusal, type Refusal, toError } from "../status.ts";
import { type Answer, readAnswer } from "./answer.ts";
import type { Caller } from "./caller.ts";
import { Deadlines } from "./deadlines.ts";
import { EnqueueStream, type EnqueueStreamEvents, type StreamSource } from "./enqueue-stream.ts";
import { bufferFull, noAnswer, overdue } from "./failures.ts";
import type { Frame } from "./frame.ts";
import { invalidTasks } from "./invalid-tasks.ts";
import { Outbox } from "./outbox.ts";
import { Room } from "./room.ts";
import type { TaskParts } from "./task-bytes.ts";
import { Unanswered, WINDOW } from "./unanswered.ts";

/** A broker that has frames, and answers none for this long, hangs. */
const SILENCE_MS = 10_000;
/** A stream with nothing to do is ended after this long: an open one would keep the process from ending. */
const IDLE_MS = 5_000;
const STOPPING = "the broker is stopping";

/** What the brokers are to the producer. */
export interface StreamSources {
  current(): StreamSource;
  moveOn(from: StreamSource): void;
  backoffMs(failures: number, retryAfterMs?: number): number;
}

type StreamState =
  | { readonly kind: "none" }
  | { readonly kind: "open" | "ending"; readonly stream: EnqueueStream; readonly connection: StreamSource }
  | { readonly kind: "pausing"; readonly timer: NodeJS.Timeout };

export class Producer implements EnqueueStreamEvents {
  readonly room: Room;
  readonly #brokers: StreamSources;
  readonly #deadlines = new Deadlines(() => this.#sweep());
  readonly #outbox: Outbox;
  readonly #unanswered = new Unanswered();
  /** Those of them that are to be sent again. */
  #again: Frame[] = [];
  /** How many of them are on their way on the stream, and since when the broker is silent about them. */
  #inFlight = 0;
  #silentSince = 0;
  #state: StreamState = { kind: "none" };
  #willFlush = false;
  /** Streams that failed in a row without an answer, and how the last one did. */
  #failures = 0;
  #lastFailure: Refusal | undefined;
  /** One of the frames may be what breaks the streams: they are sent one by one, to find it. */
  #isSuspicious = false;
  #onIdle: (() => void) | undefined;
  /** Ends the stream that is open, unless an answer comes. */
  #idleTimer: NodeJS.Timeout | undefined;
  #stopListening: () => void = () => {};

  constructor(brokers: StreamSources, maxBufferedBytes: number) {
    this.#brokers = brokers;
    this.room = new Room(maxBufferedBytes);
    this.#outbox = new Outbox(this.room);
  }

  /** Takes a task; its caller hears what became of it. */
  enqueue(task: TaskParts, caller: Caller): void {
    if (!this.room.isFree) {
      caller.fail(bufferFull());
      return;
    }
    this.#deadlines.add(caller.deadlineAt);
    this.#outbox.add(task, caller);
    if (this.#willFlush) return;
    this.#willFlush = true;
    process.nextTick(this.#flush);
  }

  /** Resolves when there may be room for a task, or the deadline has passed: look again. */
  roomOrSweep(deadlineAt: number): Promise<void> {
    this.#deadlines.add(deadlineAt);
    return this.room.wait();
  }

  /** Waits for all answers, then ends the stream. Nothing may be enqueued after it. */
  async close(): Promise<void> {
    if (!this.#isIdle) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#deadlines.stop();
    clearTimeout(this.#idleTimer);
    this.#stopListening();
    if ("stream" in this.#state) this.#state.stream.end();
    if (this.#state.kind === "pausing") clearTimeout(this.#state.timer);
    this.#state = { kind: "none" };
  }

  readonly #flush = (): void => {
    this.#willFlush = false;
    this.#pump();
  };

  #pump(): void {
    if (this.#state.kind === "none" || this.#state.kind === "open") this.#sendWhatMay();
    if (this.#isIdle) this.#onIdle?.();
  }

  get #isIdle(): boolean {
    return this.#outbox.isEmpty && this.#unanswered.size === 0;
  }

  #sendWhatMay(): void {
    while (this.#inFlight < (this.#isSuspicious ? 1 : WINDOW)) {
      const frame = this.#nextAgain() ?? this.#nextNew();
      if (!frame) return;
      this.#send(frame);
    }
  }

  #nextAgain(): Frame | undefined {
    for (let frame = this.#again.shift(); frame; frame = this.#again.shift()) {
      if (!frame.isAbandoned) return frame;
      this.#remove(frame);
    }
    if (this.#inFlight === 0) this.#isSuspicious = false;
    return undefined;
  }

  #nextNew(): Frame | undefined {
    const frame = this.#outbox.next(this.#mayGo);
    if (frame) this.#unanswered.add(frame);
    return frame;
  }

  readonly #mayGo = (frame: Frame): boolean => this.#unanswered.mayTake(frame, this.#outbox.nextSequence);

  #send(frame: Frame): void {
    const { stream } = this.#state.kind === "open" ? this.#state : this.#open();
    frame.isSent = true;
    if (this.#inFlight++ === 0) {
      this.#silentSince = performance.now();
      this.#deadlines.add(this.#silentSince + SILENCE_MS);
    }
    stream.send(frame.bytes);
    frame.mark("sent");
  }

  #open(): { readonly stream: EnqueueStream } {
    const connection = this.#brokers.current();
    const stream = new EnqueueStream(connection, this);
    this.#state = { kind: "open", connection, stream };
    this.#stopListening();
    this.#stopListening = connection.onLeft(() => this.#leave(stream));
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#endIfIdle(stream), IDLE_MS).unref();
    return this.#state;
  }

  /** What the stream tells after that is not heard; the next task opens another. */
  #endIfIdle(stream: EnqueueStream): void {
    if (this.#state.kind !== "open" || this.#state.stream !== stream) return;
    if (!this.#isIdle) {
      this.#idleTimer?.refresh();
      return;
    }
    this.#state = { kind: "none" };
    this.#stopListening();
    stream.end();
  }

  /** The broker is stopping: it answers what it has, and the rest goes elsewhere. */
  #leave(stream: EnqueueStream): void {
    if (this.#state.kind !== "open" || this.#state.stream !== stream) return;
    this.#state = { ...this.#state, kind: "ending" };
    if (this.#inFlight === 0) this.#lost(plainRefusal(Code.UNAVAILABLE, STOPPING));
    else stream.end();
  }

  #isCurrent(stream: EnqueueStream): boolean {
    return "stream" in this.#state && this.#state.stream === stream;
  }

  onAnswer(stream: EnqueueStream, bytes: Buffer): void {
    if (!this.#isCurrent(stream)) return;
    let answer: Answer;
    try {
      answer = readAnswer(bytes);
    } catch (error) {
      this.#lost(plainRefusal(Code.INTERNAL, `the broker sent an answer that cannot be read: ${String(error)}`));
      return;
    }
    const { sequence, accepted, refusal } = answer;
    this.#inFlight--;
    this.#idleTimer?.refresh();
    this.#silentSince = performance.now();
    const frame = this.#unanswered.get(sequence);
    // Undefined when all of its callers have given up.
    if (frame) {
      frame.isSent = false;
      if (refusal) this.#refused(frame, refusal);
      else this.#accepted(frame, accepted);
    }
    if (this.#state.kind === "ending" && this.#inFlight === 0) {
      this.#lost(plainRefusal(Code.UNAVAILABLE, STOPPING));
    }
    // After those who were answered have had their turn: what they enqueue next goes with what waits.
    if (this.#willFlush) return;
    this.#willFlush = true;
    queueMicrotask(() => process.nextTick(this.#flush));
  }

  #accepted(frame: Frame, accepted: readonly Enqueued[]): void {
    this.#failures = 0;
    this.#remove(frame);
    for (const [i, caller] of frame.callers.entries()) {
      const enqueued = accepted[i];
      if (!caller.isWaiting) continue;
      if (enqueued) caller.accept(enqueued);
      else caller.fail(noAnswer());
    }
  }

  #refused(frame: Frame, refusal: Refusal): void {
    // Without a reason the broker does not promise that nothing happened.
    if (refusal.reason === "") frame.isUncertain = true;
    const invalid = invalidTasks(refusal);
    if (invalid.size > 0) {
      this.#remove(frame);
      for (const [index, caller] of frame.callers.entries()) {
        const error = invalid.get(index);
        if (error && caller.isWaiting) caller.fail(error);
      }
      this.#sendRest(frame, (index) => !invalid.has(index));
    } else if (refusal.code === Code.UNAVAILABLE) {
      this.#lost(refusal);
    } else if (refusal.code === Code.RESOURCE_EXHAUSTED && refusal.retryAfterMs !== undefined) {
      this.#holdBack(frame, refusal, refusal.retryAfterMs);
    } else if (refusal.reason !== "" && frame.callers.length > 1) {
      this.#halve(frame);
    } else {
      this.#fail(frame, refusal);
    }
  }

  /**
   * The refusal does not say which task it is about, such as one for a queue that may not be made. The tasks of a frame have
   * nothing to do with each other, so none may fail for another: halves of the frame will tell.
   */
  #halve(frame: Frame): void {
    const middle = Math.ceil(frame.callers.length / 2);
    this.#remove(frame);
    this.#sendRest(frame, (index) => index >= middle);
    this.#sendRest(frame, (index) => index < middle);
  }

  /** Some tasks of a frame that was refused for others. Nothing of it was accepted, so they are a new frame. */
  #sendRest(frame: Frame, isKept: (index: number) => boolean): void {
    const rest = frame.only((index, caller) => isKept(index) && caller.isWaiting);
    rest.mark("unsent");
    if (rest.callers.length > 0) this.#outbox.putFirst(rest);
  }

  #holdBack(frame: Frame, refusal: Refusal, delayMs: number): void {
    this.#failImpatient(frame, refusal, performance.now() + delayMs);
    if (frame.isAbandoned) {
      this.#remove(frame);
      return;
    }
    frame.isHeldBack = true;
    setTimeout(() => {
      frame.isHeldBack = false;
      this.#again.push(frame);
      this.#pump();
    }, delayMs);
  }

  onEnd(stream: EnqueueStream, how: Refusal): void {
    if (!this.#isCurrent(stream)) return;
    if (isTransient(how)) {
      this.#lost(how);
      return;
    }
    // Not the broker's fault, so it may be a frame's: its size, say. When it was alone, it is found.
    const suspects = [...this.#unanswered.values()].filter(({ isSent }) => isSent);
    const [suspect] = suspects;
    if (suspect && suspects.length === 1) {
      suspect.isUncertain = true;
      this.#fail(suspect, how);
    } else {
      this.#isSuspicious = true;
    }
    this.#state = { kind: "none" };
    this.#collect(how);
    this.#pump();
  }

  /** The stream is of no more use: goes on with the next broker, or with the same after a pause. */
  #lost(how: Refusal): void {
    if (!("stream" in this.#state)) return;
    const { stream, connection } = this.#state;
    this.#state = { kind: "none" };
    stream.cancel();
    this.#brokers.moveOn(connection);
    this.#lastFailure = how;
    this.#collect(how);
    if (this.#isIdle) {
      this.#onIdle?.();
      return;
    }
    const pauseMs = this.#brokers.backoffMs(++this.#failures, how.retryAfterMs);
    if (how.retryAfterMs !== undefined) {
      for (const frame of this.#frames()) this.#failImpatient(frame, how, performance.now() + pauseMs);
    }
    const timer = setTimeout(() => {
      this.#state = { kind: "none" };
      this.#pump();
    }, pauseMs);
    this.#state = { kind: "pausing", timer };
  }

  /** After the end of a stream: all frames that are not answered are to be sent again. */
  #collect(how: Refusal): void {
    this.#inFlight = 0;
    for (const frame of this.#unanswered.values()) {
      if (frame.isSent && !isUnsent(how)) frame.isUncertain = true;
      if (!frame.isUncertain) frame.mark("unsent");
      frame.isSent = false;
    }
    this.#again = [...this.#unanswered.values()].filter(({ isHeldBack }) => !isHeldBack);
  }

  #fail(frame: Frame, refusal: Refusal): void {
    this.#failImpatient(frame, refusal, Number.POSITIVE_INFINITY);
    this.#remove(frame);
  }

  /** Fails those who would have given up before a later try. */
  #failImpatient(frame: Frame, refusal: Refusal, nextTryAt: number): void {
    const error = toError(refusal, frame.isUncertain ? "unknown" : "none");
    for (const caller of frame.callers) {
      if (caller.isWaiting && caller.deadlineAt <= nextTryAt) caller.fail(error);
    }
  }

  #remove(frame: Frame): void {
    if (this.#unanswered.delete(frame)) this.room.give(frame.taskBytes);
  }

  /** Fails the callers whose deadline has passed; returns the next deadline. */
  #sweep(): number {
    const now = performance.now();
    const failure = this.#failures > 0 ? this.#lastFailure : undefined;
    let next = Number.POSITIVE_INFINITY;
    for (const frame of this.#frames()) {
      for (const caller of frame.callers) {
        if (!caller.isWaiting) continue;
        if (caller.deadlineAt <= now) caller.fail(overdue(caller, failure));
        else next = Math.min(next, caller.deadlineAt);
      }
      if (frame.isAbandoned) this.#remove(frame);
    }
    this.room.wake();
    return Math.min(next, this.#checkSilence(now));
  }

  /** Leaves a broker that hangs; returns when to look again. */
  #checkSilence(now: number): number {
    const silentUntil = this.#silentSince + SILENCE_MS;
    if (this.#inFlight > 0 && now >= silentUntil) {
      this.#lost(plainRefusal(Code.UNAVAILABLE, `the broker has answered nothing for ${SILENCE_MS / 1_000} s`));
    }
    this.#pump();
    return this.#inFlight > 0 ? this.#silentSince + SILENCE_MS : Number.POSITIVE_INFINITY;
  }

  #frames(): Frame[] {
    return [...this.#unanswered.values(), ...this.#outbox.frames];
  }
}
