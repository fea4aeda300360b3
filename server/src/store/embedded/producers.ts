/** The answers to the last batches of each producer of a queue, so that a batch sent again adds nothing. */
import { pack, unpack } from "msgpackr";
import { base32, INDEX_TEXT, parseBase32 } from "../../domain/ids.ts";
import type { TaskState } from "../../domain/state.ts";
import type { Enqueued, Producer } from "../store.ts";

const REMEMBERED = 64;
export const PRODUCER_TTL_MS = 60 * 60 * 1_000;
const SEQUENCE_LENGTH = 11;

/** A part of a batch: a run of tasks of one block, or one task by itself. */
export type Part =
  | { readonly kind: "block"; readonly key: string; readonly first: number; count: number; readonly runAtMs: number }
  | { readonly kind: "alone"; readonly enqueued: Enqueued };

interface Memory {
  atMs: number;
  readonly batches: Map<number, readonly Part[]>;
}

export class Producers {
  readonly #memories = new Map<string, Memory>();

  get({ id, sequence }: Producer): readonly Part[] | undefined {
    return this.#memories.get(id)?.batches.get(sequence);
  }

  /** Remembers a batch; returns the sequence that is forgotten for it. */
  add({ id, sequence }: Producer, parts: readonly Part[], nowMs: number): void {
    const memory = this.#memories.get(id) ?? { atMs: nowMs, batches: new Map<number, readonly Part[]>() };
    this.#memories.set(id, memory);
    memory.atMs = Math.max(memory.atMs, nowMs);
    memory.batches.set(sequence, parts);
  }

  remove({ id, sequence }: Producer): void {
    this.#memories.get(id)?.batches.delete(sequence);
  }

  /** What is remembered longer than promised, now that `newest` came. */
  outlived({ id, sequence: newest }: Producer): readonly number[] {
    const memory = this.#memories.get(id);
    if (!memory || memory.batches.size <= REMEMBERED) return [];
    return [...memory.batches.keys()].filter((sequence) => sequence <= newest - REMEMBERED);
  }

  /** All batches of producers that are silent for an hour. */
  *expired(nowMs: number): Generator<Producer> {
    for (const [id, { atMs, batches }] of this.#memories) {
      if (atMs + PRODUCER_TTL_MS > nowMs) continue;
      for (const sequence of batches.keys()) yield { id, sequence };
    }
  }

  /** Drops producers of which no batch is left. */
  dropEmpty(): void {
    for (const [id, { batches }] of this.#memories) if (batches.size === 0) this.#memories.delete(id);
  }
}

export function producerDiskName({ id, sequence }: Producer): string {
  return id + base32(sequence, SEQUENCE_LENGTH);
}

export function parseProducerName(name: string): Producer {
  return { id: name.slice(0, -SEQUENCE_LENGTH), sequence: parseBase32(name.slice(-SEQUENCE_LENGTH)) };
}

/** The answer that the parts stand for. */
export function answerOf(parts: readonly Part[]): Enqueued[] {
  const answer: Enqueued[] = [];
  for (const part of parts) {
    if (part.kind === "alone") {
      answer.push(part.enqueued);
      continue;
    }
    const { key, first, count, runAtMs } = part;
    const state = runAtMs > 0 ? "scheduled" : "ready";
    for (let i = first; i < first + count; i++)
      answer.push({ kind: "created", key: key + INDEX_TEXT[i], state, runAtMs });
  }
  return answer;
}

type BlockFields = [key: string, first: number, count: number, runAtMs: number];
type PartFields = BlockFields | [kind: Enqueued["kind"], key: string, state: TaskState, runAtMs: number];

function isBlockFields(part: PartFields): part is BlockFields {
  return typeof part[1] === "number";
}

export function encodeBatch(parts: readonly Part[], nowMs: number): Buffer {
  const fields = parts.map((part): PartFields => {
    if (part.kind === "block") return [part.key, part.first, part.count, part.runAtMs];
    const { kind, key, state, runAtMs } = part.enqueued;
    return [kind, key, state, runAtMs];
  });
  return pack([nowMs, fields]);
}

export function decodeBatch(bytes: Buffer): { readonly atMs: number; readonly parts: readonly Part[] } {
  // Only encodeBatch writes these.
  const [atMs, fields] = unpack(bytes) as [number, PartFields[]];
  const parts = fields.map((part): Part => {
    if (isBlockFields(part)) {
      const [key, first, count, runAtMs] = part;
      return { kind: "block", key, first, count, runAtMs };
    }
    const [kind, key, state, runAtMs] = part;
    return { kind: "alone", enqueued: { kind, key, state, runAtMs } };
  });
  return { atMs, parts };
}
