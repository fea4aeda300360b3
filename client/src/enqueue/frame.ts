/**
 * A frame: the tasks that go to the broker in one EnqueueStreamRequest, and who waits for each.
 *
 * Tasks are written where they will be sent from. Once a frame has a sequence its bytes never change, so that the broker
 * can tell a repeated frame from a new one.
 *
 *     | room | sequence | task | task | ... | producer id |
 */
import type { Caller } from "./caller.ts";
import { type TaskParts, writeTask } from "./task-bytes.ts";
import { varintLength, writeVarint } from "./varint.ts";

/** The most tasks that the broker takes in one frame. */
export const MAX_FRAME_TASKS = 1_000;
/** A frame with more than one task is not larger than this: it keeps memory small and other frames from waiting long. */
export const MAX_FRAME_BYTES = 1024 * 1024;

const TAG = { sequence: 0x08, tasks: 0x12, producerId: 0x1a };
/** The tag and the longest sequence, 53 bits. */
const HEAD_LENGTH = 9;
/** The tag, the length and 8 bytes of producer id. */
const TAIL_LENGTH = 10;

export class Frame {
  /** That all of its tasks stand in. */
  readonly queue: string;
  readonly callers: Caller[] = [];
  /** 0 until it is given one by `seal`. */
  sequence = 0;
  /** Whether it is on its way on the current stream. */
  isSent = false;
  /** Whether the broker asked to send it again later, and that time has not come. */
  isHeldBack = false;
  /** Whether it may have been accepted without our hearing of it. */
  isUncertain = false;
  /** Where each task ends in the buffer. */
  readonly #ends: number[] = [];
  #buffer: Buffer;
  #end = HEAD_LENGTH;
  #start = HEAD_LENGTH;

  /** @param capacity how many bytes of tasks to expect; more fit as well */
  constructor(queue: string, capacity: number) {
    this.queue = queue;
    this.#buffer = Buffer.allocUnsafe(HEAD_LENGTH + capacity + TAIL_LENGTH);
  }

  /** How many bytes its tasks take. */
  get taskBytes(): number {
    return (this.#ends.at(-1) ?? HEAD_LENGTH) - HEAD_LENGTH;
  }

  /** Whether a task may be added. The first always may: it is for the broker to say that it is too large. */
  hasRoomFor(length: number): boolean {
    const { length: count } = this.callers;
    return (
      count === 0 || (count < MAX_FRAME_TASKS && this.#end + length + HEAD_LENGTH + TAIL_LENGTH <= MAX_FRAME_BYTES)
    );
  }

  add(task: TaskParts, caller: Caller): void {
    const { length } = task;
    this.#reserve(1 + varintLength(length) + length);
    this.#buffer[this.#end] = TAG.tasks;
    this.#end = writeTask(this.#buffer, writeVarint(this.#buffer, this.#end + 1, length), task);
    this.#ends.push(this.#end);
    this.callers.push(caller);
  }

  /** Fixes the bytes. */
  seal(sequence: number, producerId: Uint8Array): void {
    this.sequence = sequence;
    this.#start = HEAD_LENGTH - 1 - varintLength(sequence);
    this.#buffer[this.#start] = TAG.sequence;
    writeVarint(this.#buffer, this.#start + 1, sequence);
    this.#buffer[this.#end] = TAG.producerId;
    this.#buffer[this.#end + 1] = producerId.length;
    this.#buffer.set(producerId, this.#end + 2);
    this.#end += TAIL_LENGTH;
  }

  /** The EnqueueStreamRequest, once it is sealed. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Tells the callers whether from now on their tasks may be enqueued. */
  mark(how: "sent" | "unsent"): void {
    for (const caller of this.callers) caller.isSent = how === "sent";
  }

  /** Whether all callers have given up. */
  get isAbandoned(): boolean {
    return !this.callers.some((caller) => caller.isWaiting);
  }

  /** A new frame, without a sequence, of some of the tasks. */
  only(isKept: (index: number, caller: Caller) => boolean): Frame {
    const part = new Frame(this.queue, this.taskBytes);
    for (const [i, caller] of this.callers.entries()) if (isKept(i, caller)) part.#copyTask(this, i);
    return part;
  }

  #copyTask(from: Frame, index: number): void {
    const caller = from.callers[index];
    const end = from.#ends[index];
    if (!caller || end === undefined) return;
    this.#end += from.#buffer.copy(this.#buffer, this.#end, from.#ends[index - 1] ?? HEAD_LENGTH, end);
    this.#ends.push(this.#end);
    this.callers.push(caller);
  }

  #reserve(length: number): void {
    const needed = this.#end + length + TAIL_LENGTH;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}
