import type { Sketch } from "../lib/sketch.ts";

/** Of so many calls one is timed, and stands for all of them. */
export const TIMED_CALLS = 8;

/**
 * Times calls that come ten thousand times a second. To read the clock twice costs as much as all other counting of a call, so
 * it is done for every eighth; the first one is among them, so that what happens once is seen.
 */
export class SampledTimes {
  readonly #sketch: Sketch;
  #calls = 0;

  constructor(sketch: Sketch) {
    this.#sketch = sketch;
  }

  /** When the call began, if it is to be timed; else 0. */
  begin(): number {
    return this.#calls++ % TIMED_CALLS === 0 ? performance.now() : 0;
  }

  end(startedAtMs: number): void {
    if (startedAtMs > 0) this.#sketch.add((performance.now() - startedAtMs) * 1_000, TIMED_CALLS);
  }
}
