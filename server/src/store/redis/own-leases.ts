import type { OwnLease } from "./grants.ts";

/** How long after its failure a claim is looked after: its command may lie in a buffer of Redis for a while. */
const UNANSWERED_MS = 15_000;

export interface UnansweredClaim {
  readonly queue: string;
  readonly first: number;
  readonly count: number;
  readonly untilMs: number;
}

/**
 * What this broker leased and has not settled, as it stands in Redis as far as the broker knows. Sequences are counted over
 * all queues, from 1, and begin anew with each broker id.
 */
export class OwnLeases {
  readonly #bySequence = new Map<number, OwnLease>();
  #unanswered: UnansweredClaim[] = [];
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

  /** The answer of a claim did not come: whether Redis did it is not known. */
  addUnanswered(queue: string, first: number, count: number): void {
    this.#unanswered.push({ queue, first, count, untilMs: Date.now() + UNANSWERED_MS });
  }

  /** Claims that may have taken tasks which no one here knows of. */
  unanswered(): readonly UnansweredClaim[] {
    this.#unanswered = this.#unanswered.filter(({ untilMs }) => Date.now() < untilMs);
    return this.#unanswered;
  }

  clear(): void {
    this.#unanswered = [];
    this.#bySequence.clear();
  }
}
