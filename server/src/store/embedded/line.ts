/**
 * The line of ready tasks of priority 0. A million tasks that came one by one are a million blocks, so a block in line is
 * 24 bytes in a chunk, not an object. What has an object anyway, a task that is stored by itself or a block that was
 * scheduled, is a marker in the same chunk, and stands in a list beside it.
 *
 * Each place has a rank that rises along the line, so that it can be found again. It begins with a stamp: that of the block or
 * the task; what was promoted has the stamp of what it came behind, and counts on from it.
 */
import { BLOCK_KEY_LENGTH } from "../../domain/ids.ts";
import { Deque } from "../../lib/deque.ts";
import type { AloneTask } from "./alone-task.ts";
import type { BlockRun } from "./block.ts";
import { BLOCK_NAME_LENGTH, type BlockName, parseBlockName } from "./block-name.ts";
import { STAMP_LENGTH } from "./stamps.ts";

const AFTER_AT = STAMP_LENGTH;
const COUNT_AT = BLOCK_KEY_LENGTH;
const FIRST_AT = BLOCK_NAME_LENGTH;
const END_AT = FIRST_AT + 1;
const PLACE_LENGTH = END_AT + 1;
const PLACES_PER_CHUNK = 512;
/** No block is empty, so this count means an object. */
const OBJECT = 0;
const NO_CHUNK = Buffer.alloc(PLACES_PER_CHUNK * PLACE_LENGTH);

/** The first place of the line: a task, or the tasks of a block from `first` to before `end`. */
export type LineHead =
  | { readonly kind: "alone"; readonly task: AloneTask }
  | { readonly kind: "block"; readonly name: BlockName; first: number; readonly end: number }
  | BlockRun;

/** Where a place stands. */
export interface LineRank {
  readonly stamp: string;
  /** Counts what came behind the stamp without one of its own, from 1; 0 for what the stamp belongs to. */
  readonly after: number;
}

export interface Place extends LineRank {
  readonly head: LineHead;
}

export class ReadyLine {
  readonly #chunks: Buffer[] = [];
  /** How many objects had come before each chunk. */
  readonly #objectsBefore: number[] = [];
  #objectsPushed = 0;
  readonly #objects = new Deque<AloneTask | BlockRun>();
  /** Places of the first chunk that are used up. */
  #used = 0;
  /** Places of the last chunk that are taken. */
  #taken = PLACES_PER_CHUNK;
  #head: LineHead | undefined;

  /** Tasks `first` to before `end` of a block that was not scheduled. */
  pushBlock(diskName: string, first: number, end: number): void {
    const { chunk, at } = this.#newPlace();
    chunk.write(diskName, at, BLOCK_NAME_LENGTH, "latin1");
    chunk[at + FIRST_AT] = first;
    chunk[at + END_AT] = end;
  }

  /** A task alone, or tasks of a block. */
  pushObject(object: AloneTask | BlockRun, { stamp, after }: LineRank): void {
    const { chunk, at } = this.#newPlace();
    chunk.write(stamp, at, STAMP_LENGTH, "latin1");
    chunk.writeUInt32BE(after, at + AFTER_AT);
    chunk[at + COUNT_AT] = OBJECT;
    this.#objects.push(object);
    this.#objectsPushed++;
  }

  #newPlace(): { chunk: Buffer; at: number } {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || this.#taken === PLACES_PER_CHUNK) {
      chunk = Buffer.allocUnsafeSlow(PLACES_PER_CHUNK * PLACE_LENGTH);
      this.#chunks.push(chunk);
      this.#objectsBefore.push(this.#objectsPushed);
      this.#taken = 0;
    }
    return { chunk, at: this.#taken++ * PLACE_LENGTH };
  }

  head(): LineHead | undefined {
    this.#head ??= this.#readHead();
    return this.#head;
  }

  #readHead(): LineHead | undefined {
    return this.#used < this.#end ? this.#read(this.#used, this.#objects.at(0)) : undefined;
  }

  /** Places are counted from the first of the first chunk; this is the one behind the last. */
  get #end(): number {
    return this.#chunks.length === 0 ? 0 : (this.#chunks.length - 1) * PLACES_PER_CHUNK + this.#taken;
  }

  #locate(place: number): { chunk: Buffer; at: number } {
    const chunk = this.#chunks[Math.floor(place / PLACES_PER_CHUNK)] ?? NO_CHUNK;
    return { chunk, at: (place % PLACES_PER_CHUNK) * PLACE_LENGTH };
  }

  /** @param object what stands there if it is one */
  #read(place: number, object: AloneTask | BlockRun | undefined): LineHead | undefined {
    const { chunk, at } = this.#locate(place);
    if (chunk[at + COUNT_AT] === OBJECT)
      return object && ("block" in object ? object : { kind: "alone", task: object });
    const name = parseBlockName(chunk.toString("latin1", at, at + BLOCK_NAME_LENGTH));
    return { kind: "block", name, first: chunk[at + FIRST_AT] ?? 0, end: chunk[at + END_AT] ?? 0 };
  }

  /** Takes the whole head out, which `head` has told. To take a part, move its `first`. */
  shift(): void {
    if (this.#head && this.#head.kind !== "block") this.#objects.shift();
    this.#head = undefined;
    this.#used++;
    if (this.#used < PLACES_PER_CHUNK) return;
    this.#used = 0;
    this.#chunks.shift();
    this.#objectsBefore.shift();
  }

  /** All places in order. The line must not be changed meanwhile. */
  *up(): Generator<LineHead> {
    let objects = 0;
    for (let place = this.#used; place < this.#end; place++) {
      const isObject = this.#isObject(place);
      const head = place === this.#used ? this.head() : this.#read(place, this.#objects.at(objects));
      if (isObject) objects++;
      if (head) yield head;
    }
  }

  /** The places from the last to the first; those up to a rank if one is given. The line must not be changed meanwhile. */
  *down(rank: LineRank | undefined): Generator<Place> {
    const end = rank === undefined ? this.#end : this.#placeBehind(rank);
    let objects = this.#objectsUntil(end);
    for (let place = end - 1; place >= this.#used; place--) {
      if (this.#isObject(place)) objects--;
      const head = place === this.#used ? this.head() : this.#read(place, this.#objects.at(objects));
      if (head) yield { ...this.#rankOf(place), head };
    }
  }

  /** The first place whose rank is higher. */
  #placeBehind(rank: LineRank): number {
    let from = this.#used;
    let to = this.#end;
    while (from < to) {
      const middle = (from + to) >> 1;
      const { stamp, after } = this.#rankOf(middle);
      if (stamp < rank.stamp || (stamp === rank.stamp && after <= rank.after)) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #rankOf(place: number): LineRank {
    const { chunk, at } = this.#locate(place);
    const stamp = chunk.toString("latin1", at, at + STAMP_LENGTH);
    return { stamp, after: this.#isObject(place) ? chunk.readUInt32BE(at + AFTER_AT) : 0 };
  }

  #isObject(place: number): boolean {
    const { chunk, at } = this.#locate(place);
    return chunk[at + COUNT_AT] === OBJECT;
  }

  /** How many objects stand before a place. */
  #objectsUntil(place: number): number {
    const chunk = Math.floor(place / PLACES_PER_CHUNK);
    let pushed = this.#objectsBefore[chunk] ?? this.#objectsPushed;
    for (let before = chunk * PLACES_PER_CHUNK; before < place; before++) if (this.#isObject(before)) pushed++;
    const shifted = this.#objectsPushed - this.#objects.size;
    return pushed - shifted;
  }
}
