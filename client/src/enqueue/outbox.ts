import { randomBytes } from "node:crypto";
import type { Caller } from "./caller.ts";
import { Frame } from "./frame.ts";
import type { Room } from "./room.ts";
import type { TaskParts } from "./task-bytes.ts";

const PRODUCER_ID_LENGTH = 8;
/** Of the first frame; later ones expect the size of the one before, within bounds: a frame grows when it has to. */
const FIRST_CAPACITY = 4 * 1024;
const MAX_CAPACITY = 128 * 1024;

/** Frames that wait to be sent for the first time. The last one takes the tasks that come. */
export class Outbox {
  readonly #room: Room;
  readonly #producerId = randomBytes(PRODUCER_ID_LENGTH);
  readonly #frames: Frame[] = [];
  #lastSequence = 0;
  #capacity = FIRST_CAPACITY;

  constructor(room: Room) {
    this.#room = room;
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** Whether there is one frame only, with so few tasks. */
  hasAtMost(tasks: number): boolean {
    return this.#frames.length === 1 && (this.#frames[0]?.callers.length ?? 0) <= tasks;
  }

  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** The sequence that the next frame will have. */
  get nextSequence(): number {
    return this.#lastSequence + 1;
  }

  add(task: TaskParts, caller: Caller): void {
    let frame = this.#frames.at(-1);
    if (!frame?.hasRoomFor(task.length)) {
      frame = new Frame(this.#capacity);
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

  /** Gives the oldest frame that somebody still waits for a sequence, and hands it out, without tasks given up by now. */
  next(): Frame | undefined {
    for (let frame = this.#frames.shift(); frame; frame = this.#frames.shift()) {
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
}

function isWaiting(caller: Caller): boolean {
  return caller.isWaiting;
}
