import { randomBytes } from "node:crypto";
import type { Caller } from "./caller.ts";
import { Frame } from "./frame.ts";
import type { Room } from "./room.ts";
import { queueOf, type TaskParts } from "./task-bytes.ts";

const PRODUCER_ID_LENGTH = 8;
/** Of the first frame; later ones expect the size of the one before, within bounds: a frame grows when it has to. */
const FIRST_CAPACITY = 4 * 1024;
const MAX_CAPACITY = 128 * 1024;

/**
 * Frames that wait to be sent for the first time. Each is of one queue, so that a queue that refuses its tasks, or lets them
 * wait, does so to no others.
 */
export class Outbox {
  readonly #room: Room;
  readonly #producerId = randomBytes(PRODUCER_ID_LENGTH);
  /** Oldest first. */
  readonly #frames: Frame[] = [];
  /** Those of them that take the tasks that come, by queue. */
  readonly #filling = new Map<string, Frame>();
  #lastSequence = 0;
  #capacity = FIRST_CAPACITY;

  constructor(room: Room) {
    this.#room = room;
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** The sequence that the next frame will have. */
  get nextSequence(): number {
    return this.#lastSequence + 1;
  }

  add(task: TaskParts, caller: Caller): void {
    const queue = queueOf(task);
    let frame = this.#filling.get(queue);
    if (!frame?.hasRoomFor(task.length)) {
      frame = new Frame(queue, this.#capacity);
      this.#filling.set(queue, frame);
      this.#frames.push(frame);
    }
    const before = frame.taskBytes;
    frame.add(task, caller);
    this.#room.take(frame.taskBytes - before);
  }

  /** Takes a frame without a sequence, to be sent before all others. */
  putFirst(frame: Frame): void {
    this.#room.take(frame.taskBytes);
    this.#frames.unshift(frame);
  }

  /** Gives a sequence to the oldest frame that may go and that somebody still waits for; hands it out without tasks given up by now. */
  next(mayGo: (frame: Frame) => boolean): Frame | undefined {
    for (let frame = this.#take(mayGo); frame; frame = this.#take(mayGo)) {
      const { taskBytes } = frame;
      const wanted = frame.callers.every(isWaiting) ? frame : frame.only((_, caller) => caller.isWaiting);
      this.#room.give(taskBytes - wanted.taskBytes);
      if (wanted.callers.length === 0) continue;
      this.#lastSequence++;
      wanted.seal(this.#lastSequence, this.#producerId);
      this.#capacity = Math.min(taskBytes, MAX_CAPACITY);
      return wanted;
    }
    return undefined;
  }

  #take(mayGo: (frame: Frame) => boolean): Frame | undefined {
    const at = this.#frames.findIndex(mayGo);
    const [frame] = at < 0 ? [] : this.#frames.splice(at, 1);
    if (frame && this.#filling.get(frame.queue) === frame) this.#filling.delete(frame.queue);
    return frame;
  }
}

function isWaiting(caller: Caller): boolean {
  return caller.isWaiting;
}
