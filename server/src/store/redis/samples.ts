/** What brokers measured: a hash for each slot of time, which expires when the slot is too old. */
import { SAMPLE_MS, SAMPLES_KEPT, type Sample } from "../store.ts";
import type { Connection } from "./connection.ts";
import { globalKeys, type Keys, keysOf } from "./keys.ts";
import { SCRIPTS } from "./scripts.ts";

export class Samples {
  readonly #connection: Connection;
  readonly #keys: Keys;

  constructor(connection: Connection, namespace: string) {
    this.#connection = connection;
    this.#keys = globalKeys(namespace);
  }

  async put({ brokerId, slot, bytes }: Sample): Promise<void> {
    const { putSample } = SCRIPTS;
    const args = [slot, SAMPLE_MS, SAMPLES_KEPT, brokerId, Buffer.from(bytes)];
    await this.#connection.run(putSample, keysOf(putSample, this.#keys), args);
  }

  async all(): Promise<Sample[]> {
    const { samples } = SCRIPTS;
    const reply = await this.#connection.run(samples, keysOf(samples, this.#keys), [SAMPLE_MS, SAMPLES_KEPT]);
    // The form that samples.lua says.
    const slots = reply as readonly (number | readonly Buffer[])[];
    const all: Sample[] = [];
    for (let at = 0; at < slots.length; at += 2) {
      const pairs = slots[at + 1] as readonly Buffer[];
      for (let i = 0; i < pairs.length; i += 2) {
        const bytes = pairs[i + 1];
        if (bytes) all.push({ brokerId: String(pairs[i]), slot: Number(slots[at]), bytes });
      }
    }
    return all;
  }
}
