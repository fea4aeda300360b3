import { fresh } from "../lib/fresh.ts";
import { Sketch } from "../lib/sketch.ts";
import { type QueueCounters, SAMPLE_MS, type Store } from "../store/store.ts";
import { type Percentiles, percentilesOf } from "./percentiles.ts";
import { decodeSample, type Seen } from "./sample.ts";
import type { CurrentSlot, Latency } from "./slot.ts";

/** However many ask, the samples are read from the store this often at most; they are put this often, too. */
const FRESH_MS = SAMPLE_MS / 2;
/** Whole slots that make a minute. */
const MINUTE_SLOTS = 60_000 / SAMPLE_MS;

/** What all brokers saw in one slot. */
export interface Moment {
  readonly timeMs: number;
  readonly total: QueueCounters;
  readonly wait: Percentiles;
  readonly run: Percentiles;
}

interface Entry {
  readonly brokerId: string;
  readonly slot: number;
  readonly seen: Seen;
}

/** What all brokers put into the store in the last hour, merged. */
export class History {
  readonly #store: Pick<Store, "samples">;
  readonly #slot: CurrentSlot;

  constructor(store: Pick<Store, "samples">, slot: CurrentSlot) {
    this.#store = store;
    this.#slot = slot;
  }

  /** One for each slot in which a broker was running, oldest first. The last one may be of a slot that is not over. */
  readonly moments = fresh(FRESH_MS, async (): Promise<readonly Moment[]> => {
    const slots = new Map<number, Seen[]>();
    for (const { slot, seen } of await this.#read()) {
      const others = slots.get(slot);
      if (others) others.push(seen);
      else slots.set(slot, [seen]);
    }
    return [...slots].sort(([a], [b]) => a - b).map(([, seen]) => merge(seen));
  });

  /** Of all brokers, over the last minute and what the current slot has of the next. */
  async lastMinute(): Promise<Pick<Moment, "wait" | "run">> {
    const own = this.#slot.id;
    const oldest = this.#slot.slotNow - MINUTE_SLOTS;
    const latency = this.#slot.latency();
    for (const { brokerId, slot, seen } of await this.#recent()) {
      // This broker knows its current slot better than the store.
      const isCurrent = brokerId === own?.brokerId && slot === own.slot;
      if (slot >= oldest && !isCurrent) mergeInto(latency, seen);
    }
    return { wait: percentilesOf(latency.wait), run: percentilesOf(latency.run) };
  }

  readonly #recent = fresh(FRESH_MS, () => this.#read(this.#slot.slotNow - MINUTE_SLOTS));

  async #read(from?: number): Promise<readonly Entry[]> {
    const samples = await this.#store.samples(from);
    return samples.flatMap(({ brokerId, slot, bytes }) => {
      const seen = decodeSample(bytes);
      return seen ? [{ brokerId, slot, seen }] : [];
    });
  }
}

/** Of one slot: what the broker that looked last saw of the queues, and what all of them measured. */
function merge(slot: readonly Seen[]): Moment {
  const { timeMs, total } = slot.reduce((a, b) => (b.timeMs > a.timeMs ? b : a));
  const latency = { wait: new Sketch(), run: new Sketch() };
  for (const seen of slot) mergeInto(latency, seen);
  return { timeMs, total, wait: percentilesOf(latency.wait), run: percentilesOf(latency.run) };
}

function mergeInto(latency: Latency, { wait, run }: Seen): void {
  latency.wait.mergeEncoded(wait);
  latency.run.mergeEncoded(run);
}
