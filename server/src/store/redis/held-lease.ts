/**
 * A lease as it is written in the hash of its broker's leases. All arithmetic on it happens here; the scripts only compare
 * and replace the text:
 *
 *     b <stream id> <nonce> <first> <count> <total of the block> <flags> [outstanding, 32 hex digits]
 *     a <key>
 *
 * Flags: "o" = some body has options, "-" = none; then "w" = it covers the whole block and nothing of it was released.
 */
import { blockKey, keyIndex, MAX_BLOCK_TASKS, parseBlockKey } from "../../domain/ids.ts";
import type { Lease } from "../../domain/lease.ts";
import type { AloneRecord } from "../records.ts";
import { decodeMeta } from "./alone-value.ts";

export type HeldLease = BlockLease | AloneLease;

export interface AloneLease {
  readonly kind: "alone";
  readonly key: string;
  /** Its body is empty: that stays in the store. */
  readonly record: AloneRecord;
}

const WORDS = MAX_BLOCK_TASKS / 32;

export class BlockLease {
  readonly kind = "block";
  /** Of the stream entry. */
  readonly id: string;
  readonly nonce: string;
  readonly first: number;
  readonly count: number;
  /** Tasks of the block. */
  readonly total: number;
  readonly hasOptions: boolean;
  isWhole: boolean;
  /** How many are outstanding. */
  left: number;
  /** A bit for each outstanding index, counted from `first`; undefined while all are. */
  #bits: Uint32Array | undefined;
  #block: string | undefined;

  constructor(text: string) {
    const [, id = "", nonce = "", first, count, total, flags = "", outstanding] = text.split(" ");
    this.id = id;
    this.nonce = nonce;
    this.first = Number(first);
    this.count = Number(count);
    this.total = Number(total);
    this.hasOptions = flags[0] === "o";
    this.isWhole = flags[1] === "w";
    this.left = this.count;
    if (outstanding !== undefined) {
      this.#bits = Uint32Array.from({ length: WORDS }, (_, i) =>
        Number.parseInt(outstanding.slice(i * 8, i * 8 + 8), 16),
      );
      this.left = this.#bits.reduce((sum, word) => sum + countBits(word), 0);
    }
  }

  /** Its key. */
  get block(): string {
    this.#block ??= blockKeyOf(this.id, this.nonce);
    return this.#block;
  }

  get enqueuedAtMs(): number {
    return Number.parseInt(this.id, 10);
  }

  has(index: number): boolean {
    const bit = index - this.first;
    if (bit < 0 || bit >= this.count) return false;
    return this.#bits === undefined || (((this.#bits[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1;
  }

  /** @param index is outstanding */
  remove(index: number): void {
    this.#bits ??= allBits(this.count);
    const bit = index - this.first;
    this.#bits[bit >>> 5] = (this.#bits[bit >>> 5] ?? 0) & ~(1 << (bit & 31));
    this.left--;
  }

  /** Everything at once. */
  clear(): void {
    this.#bits = new Uint32Array(WORDS);
    this.left = 0;
  }

  /** The indexes that are outstanding. */
  outstanding(): number[] {
    const indexes: number[] = [];
    for (let index = this.first; index < this.first + this.count; index++) if (this.has(index)) indexes.push(index);
    return indexes;
  }

  /** "" when nothing is outstanding: then the lease is deleted. */
  text(): string {
    if (this.left === 0) return "";
    const { id, nonce, first, count, total } = this;
    const flags = `${this.hasOptions ? "o" : "-"}${this.isWhole ? "w" : "-"}`;
    const text = `b ${id} ${nonce} ${first} ${count} ${total} ${flags}`;
    if (!this.#bits) return text;
    let bits = "";
    for (const word of this.#bits) bits += word.toString(16).padStart(8, "0");
    return `${text} ${bits}`;
  }

  /** What goes to the front of the line when `n` tasks from `first` are released. */
  rangeText(first: number, n: number): string {
    return `b ${this.id} ${this.nonce} ${first} ${n} ${this.total} ${this.hasOptions ? "o" : "-"}-`;
  }
}

/** A lease by its text. @param record of the task, when it is one alone */
export function readHeld(text: string, record: Buffer | null | undefined): HeldLease | undefined {
  if (!text.startsWith("a ")) return new BlockLease(text);
  return record ? { kind: "alone", key: text.slice(2), record: decodeMeta(record) } : undefined;
}

/** The name of a lease, by what is held under it. */
export function leaseOf(queue: string, broker: string, sequence: number, held: HeldLease): Lease {
  if (held.kind === "alone")
    return { queue, broker, sequence, block: held.key, alone: true, attempt: held.record.attempt };
  return { queue, broker, sequence, block: held.block, alone: false, attempt: 1 };
}

export function blockKeyOf(id: string, nonce: string): string {
  const dash = id.indexOf("-");
  return blockKey({ timeMs: Number(id.slice(0, dash)), sequence: Number(id.slice(dash + 1)), nonce });
}

/** The stream id of the block that a key made by a store belongs to. */
export function streamId(key: string): string | undefined {
  const name = parseBlockKey(key);
  if (!name || Number.isNaN(name.timeMs) || Number.isNaN(name.sequence)) return undefined;
  return `${name.timeMs}-${name.sequence}`;
}

/** The index under which a result is recorded: that in its block also when the task had left it; 0 for a caller's key. */
export function resultIndex(key: string): number {
  return key.startsWith("=") ? 0 : keyIndex(key);
}

function allBits(count: number): Uint32Array {
  const bits = new Uint32Array(WORDS);
  for (let bit = 0; bit < count; bit++) bits[bit >>> 5] = (bits[bit >>> 5] ?? 0) | (1 << (bit & 31));
  return bits;
}

function countBits(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}
