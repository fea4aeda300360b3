import { Sketch } from "../lib/sketch.ts";
import { SAMPLE_MS } from "../store/store.ts";
import type { Measures } from "./measures.ts";
import type { StoreClock } from "./store-clock.ts";

/** How long tasks waited and ran, in ms. */
export interface Latency {
  readonly wait: Sketch;
  readonly run: Sketch;
}

/** Whose sample of which slot. */
export interface SlotId {
  readonly brokerId: string;
  readonly slot: number;
}

/**
 * The slot that this broker fills now. What is measured goes into the slot in which it is put, even when that began a moment
 * later: nothing is counted twice, or not at all.
 */
export class CurrentSlot {
  readonly #measures: Measures;
  readonly #clock: StoreClock;
  #id: SlotId | undefined;
  /** What had been measured when it began. */
  #before: Latency = { wait: new Sketch(), run: new Sketch() };
  /** What had been measured when it was last read to be put. */
  #lastPut: Latency = this.#before;

  constructor(measures: Measures, clock: StoreClock) {
    this.#measures = measures;
    this.#clock = clock;
  }

  get id(): SlotId | undefined {
    return this.#id;
  }

  /** The number of the slot that it is time for. */
  get slotNow(): number {
    return Math.floor(this.#clock.nowMs() / SAMPLE_MS);
  }

  /** What is to be put now. Begins a slot when it is time, or when this broker has a new id. */
  put(brokerId: string): SlotId & { readonly latency: Latency } {
    const slot = this.slotNow;
    if (this.#id?.slot !== slot || this.#id.brokerId !== brokerId) {
      this.#id = { brokerId, slot };
      this.#before = this.#lastPut;
    }
    const latency = this.latency();
    this.#lastPut = this.#measured();
    return { brokerId, slot, latency };
  }

  /** What it has so far. */
  latency(): Latency {
    const { wait, run } = this.#measured();
    return { wait: wait.since(this.#before.wait), run: run.since(this.#before.run) };
  }

  #measured(): Latency {
    return { wait: this.#measures.total("wait"), run: this.#measures.total("run") };
  }
}
