/** What brokers measured, as records by slot: they are few, and read from disk. */
import { base32, parseBase32 } from "../../domain/ids.ts";
import { SAMPLE_MS, SAMPLES_KEPT, type Sample } from "../store.ts";
import type { Database } from "./database.ts";
import { diskKey, nameOf } from "./disk.ts";
import type { Call } from "./journal.ts";
import { Producers } from "./producers.ts";
import { Queue } from "./queue.ts";
import type { Turn } from "./turn.ts";

const SLOT_LENGTH = 8;
/** Old ones that one call drops at most: it adds one. */
const DROPPED_AT_ONCE = 20;

/** Samples are of no queue; in the journal they stand under this one, which has no number and no name. */
export function newSampleQueue(): Queue {
  return new Queue("", new Producers());
}

/** The samples of the last slots. */
export function readSamples(database: Database, nowMs: number): Sample[] {
  const samples: Sample[] = [];
  const first = firstSlot(nowMs);
  for (const { key, content } of database.entries(diskKey("m", 0, ""))) {
    const { slot, brokerId } = parseName(nameOf(key));
    if (slot >= first) samples.push({ slot, brokerId, bytes: Buffer.from(content) });
  }
  return samples;
}

export interface SampleRequest {
  readonly queue: Queue;
  readonly sample: Sample;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One call of `putSample`. */
export class SampleCall implements Call {
  readonly grows = true;
  readonly canWait = true;
  readonly #database: Database;
  readonly #request: SampleRequest;

  constructor(database: Database, request: SampleRequest) {
    this.#database = database;
    this.#request = request;
  }

  get queue(): Queue {
    return this.#request.queue;
  }

  prepare(turn: Turn): void {
    const { queue, sample } = this.#request;
    const first = firstSlot(turn.nowMs);
    for (const { key } of this.#database.entries(diskKey("m", 0, ""), DROPPED_AT_ONCE)) {
      if (parseName(nameOf(key)).slot < first) turn.remove("m", queue, nameOf(key));
    }
    const { slot, brokerId, bytes } = sample;
    if (slot >= first) turn.put("m", queue, base32(slot, SLOT_LENGTH) + brokerId, bytes);
  }

  publish(): void {
    this.#request.resolve();
  }

  fail(error: unknown): void {
    this.#request.reject(error);
  }
}

function firstSlot(nowMs: number): number {
  return Math.floor(nowMs / SAMPLE_MS) - SAMPLES_KEPT + 1;
}

function parseName(name: string): Pick<Sample, "slot" | "brokerId"> {
  return { slot: parseBase32(name.slice(0, SLOT_LENGTH)), brokerId: name.slice(SLOT_LENGTH) };
}
