import type { Frame } from "./frame.ts";

/**
 * A queue knows the last 64 sequences of a producer: an older one must not be without an answer. Of all queues, no more are
 * on their way.
 */
export const WINDOW = 64;
/** With this many frames of its queue unanswered a small one waits and grows: it would stay small for ever, and cost most. */
const FRAMES_BEFORE_SMALL = 2;
const SMALL_TASKS = 64;

/** Frames that have a sequence, and no answer yet. */
export class Unanswered {
  readonly #bySequence = new Map<number, Frame>();
  /** In each the oldest first. */
  readonly #byQueue = new Map<string, Set<Frame>>();

  get size(): number {
    return this.#bySequence.size;
  }

  /** Oldest first. */
  values(): Iterable<Frame> {
    return this.#bySequence.values();
  }

  get(sequence: number): Frame | undefined {
    return this.#bySequence.get(sequence);
  }

  /** Whether a new frame may be sent as this sequence. */
  mayTake({ queue, callers }: Frame, sequence: number): boolean {
    const before = this.#byQueue.get(queue);
    if (!before) return true;
    if (before.size >= FRAMES_BEFORE_SMALL && callers.length <= SMALL_TASKS) return false;
    const [oldest] = before;
    return oldest === undefined || sequence - oldest.sequence < WINDOW;
  }

  add(frame: Frame): void {
    this.#bySequence.set(frame.sequence, frame);
    const others = this.#byQueue.get(frame.queue);
    if (others) others.add(frame);
    else this.#byQueue.set(frame.queue, new Set([frame]));
  }

  /** Whether it was one of them. */
  delete(frame: Frame): boolean {
    if (!this.#bySequence.delete(frame.sequence)) return false;
    const others = this.#byQueue.get(frame.queue);
    others?.delete(frame);
    if (others?.size === 0) this.#byQueue.delete(frame.queue);
    return true;
  }
}
