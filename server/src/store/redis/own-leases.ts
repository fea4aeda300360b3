import type { OwnLease } from "./grants.ts";

/**
 * What this broker leased and has not settled, as it stands in Redis as far as the broker knows. Sequences are counted over
 * all queues, from 1, and begin anew with each broker id.
 */
export class OwnLeases {
  readonly #bySequence = new Map<number, OwnLease>();
  #next = 1;

  /** Sets aside as many sequences as a claim may need; returns the first. */
  reserve(count: number): number {
    const first = this.#next;
    this.#next += count;
    return first;
  }

  add(sequence: number, lease: OwnLease): void {
    this.#bySequence.set(sequence, lease);
  }

  get(sequence: number): OwnLease | undefined {
    return this.#bySequence.get(sequence);
  }

  /** What Redis has of it is not known: it was settled, or a call was cut. */
  forget(sequence: number): void {
    this.#bySequence.delete(sequence);
  }

  clear(): void {
    this.#bySequence.clear();
  }
}
