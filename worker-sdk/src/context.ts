import type { Logger } from "pino";

/** What a handler is told about its attempt, and may tell about it. */
export interface TaskContext {
  /** The number of this attempt, from 1. */
  readonly attempt: number;
  /**
   * Aborted when the task is taken away: it timed out, its lease was lost, or the worker is shutting down. The reason
   * is a {@link TaskCancelled}. Pass it on to whatever can be interrupted.
   */
  readonly signal: AbortSignal;
  /** The worker's logger with the fields of this task. */
  readonly log: Logger;
  /**
   * Says how far the task is. Cheap: of several calls in one turn of the event loop only the last one is sent.
   *
   * @param percent from 0 to 100; what lies outside is moved to the nearest bound
   * @param detail anything: bytes as they are, else JSON
   * @throws RangeError when `percent` is not a number
   */
  progress(percent: number, detail?: unknown): void;
  /**
   * Gives this attempt more time: its timeout starts again now, with this length.
   *
   * @param ms from 1 ms to 24 h
   * @throws RangeError when it is outside
   */
  extend(ms: number): void;
}
