import type { Sample, Store } from "../store/store.ts";

/** A store that answers what a test tells it to, and nothing else. */
export function storeOf(answers: Partial<Store>): Store {
  // Whatever a test does not expect to be called is not there, and fails by name.
  return answers as Store;
}

/** The part of a store that keeps samples. Brokers that share one see each other's. */
export class SampleStore {
  readonly kept = new Map<string, Sample>();

  async putSample(sample: Sample): Promise<void> {
    this.kept.set(`${sample.brokerId} ${sample.slot}`, sample);
  }

  /** All of them, whatever is asked for: what was read a moment ago may be older as well. */
  async samples(): Promise<readonly Sample[]> {
    return [...this.kept.values()].sort((a, b) => a.slot - b.slot);
  }
}
