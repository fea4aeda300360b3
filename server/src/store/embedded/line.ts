/**
 * The line of ready tasks of priority 0. A million tasks that came one by one are a million blocks, so a block in line is
 * 24 bytes in a chunk, not an object. What has an object anyway, a task that is stored by itself or a block that was
 * scheduled, is a marker in the same chunk, and stands in a list beside it.
 */
import { BLOCK_KEY_LENGTH } from "../../domain/ids.ts";
import { Deque } from "../../lib/deque.ts";
import type { AloneTask } from "./alone-task.ts";
import type { BlockRun } from "./block.ts";
import { BLOCK_NAME_LENGTH, type BlockName, parseBlockName } from "./block-name.ts";

const COUNT_AT = BLOCK_KEY_LENGTH;
const FIRST_AT = BLOCK_NAME_LENGTH;
const END_AT = FIRST_AT + 1;
const PLACE_LENGTH = END_AT + 1;
const PLACES_PER_CHUNK = 512;
/** No block is empty, so this count means an object. */
const OBJECT = 0;

/** The first place of the line: a task, or the tasks of a block from `first` to before `end`. */
export type LineHead =
  | { readonly kind: "alone"; readonly task: AloneTask }
  | { readonly kind: "block"; readonly name: BlockName; first: number; readonly end: number }
  | BlockRun;

export class ReadyLine {
  readonly #chunks: Buffer[] = [];
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
  pushObject(object: AloneTask | BlockRun): void {
    const { chunk, at } = this.#newPlace();
    chunk[at + COUNT_AT] = OBJECT;
    this.#objects.push(object);
  }

  #newPlace(): { chunk: Buffer; at: number } {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || this.#taken === PLACES_PER_CHUNK) {
      chunk = Buffer.allocUnsafeSlow(PLACES_PER_CHUNK * PLACE_LENGTH);
      this.#chunks.push(chunk);
      this.#taken = 0;
    }
    return { chunk, at: this.#taken++ * PLACE_LENGTH };
  }

  head(): LineHead | undefined {
    this.#head ??= this.#readHead();
    return this.#head;
  }

  #readHead(): LineHead | undefined {
    const [chunk] = this.#chunks;
    if (chunk === undefined || (this.#chunks.length === 1 && this.#used === this.#taken)) return undefined;
    const at = this.#used * PLACE_LENGTH;
    if (chunk[at + COUNT_AT] === OBJECT) {
      const object = this.#objects.at(0);
      return object && ("block" in object ? object : { kind: "alone", task: object });
    }
    const name = parseBlockName(chunk.toString("latin1", at, at + BLOCK_NAME_LENGTH));
    return { kind: "block", name, first: chunk[at + FIRST_AT] ?? 0, end: chunk[at + END_AT] ?? 0 };
  }

  /** Takes the whole head out. To take a part, move its `first`. */
  shift(): void {
    if (this.#head && this.#head.kind !== "block") this.#objects.shift();
    this.#head = undefined;
    this.#used++;
    if (this.#used < PLACES_PER_CHUNK) return;
    this.#used = 0;
    this.#chunks.shift();
  }
}
