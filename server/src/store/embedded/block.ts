/** A block of which tasks were claimed, or have left: it has an object until its last task left. */
import { parseBlockKey } from "../../domain/ids.ts";
import { VarintReader } from "../../lib/varint.ts";
import { type BlockName, blockDiskName } from "./block-name.ts";
import { hasLeft, LEFT_EARLIER } from "./mark.ts";

export class Block {
  readonly name: BlockName;
  /** See mark.ts. One for each task. */
  marks: number[];
  /** How many tasks are still in it. */
  left: number;
  /** Whether a record tells which tasks left. */
  hasLeftRecord = false;
  /** The bodies, while some of them wait to be claimed. */
  content: Buffer | undefined;
  /** Where in the content the body with this index begins: claims go on from there. */
  #nextIndex = 0;
  #nextAt = 0;

  constructor(name: BlockName) {
    this.name = name;
    this.marks = new Array(name.count).fill(0);
    this.left = name.count;
  }

  get key(): string {
    return this.name.key;
  }

  get diskName(): string {
    return blockDiskName(this.name);
  }

  get enqueuedAtMs(): number {
    return parseBlockKey(this.name.key)?.timeMs ?? 0;
  }

  /** A reader that stands before the body with this index. */
  readerAt(content: Buffer, index: number): VarintReader {
    const reader = new VarintReader(content, index >= this.#nextIndex ? this.#nextAt : 0);
    for (let i = index >= this.#nextIndex ? this.#nextIndex : 0; i < index; i++) {
      const length = reader.next();
      reader.at += length;
    }
    return reader;
  }

  remember(index: number, at: number): void {
    this.#nextIndex = index;
    this.#nextAt = at;
  }
}

const BITS_AT = 2;

/** What left a block: its size, whether it has options, and one bit for each task that left. */
export function encodeLeft({ name, marks }: Block): Buffer {
  const bytes = Buffer.alloc(BITS_AT + Math.ceil(marks.length / 8));
  bytes[0] = name.count;
  bytes[1] = name.hasOptions ? 1 : 0;
  for (let i = 0; i < marks.length; i++) {
    const at = BITS_AT + (i >> 3);
    if (hasLeft(marks[i] ?? 0)) bytes[at] = (bytes[at] ?? 0) | (1 << (i & 7));
  }
  return bytes;
}

/** The block as it was when the record was written. */
export function decodeLeft(key: string, bytes: Uint8Array): Block {
  const block = new Block({ key, count: bytes[0] ?? 0, hasOptions: bytes[1] === 1 });
  block.hasLeftRecord = true;
  for (let i = 0; i < block.marks.length; i++) {
    if (!((bytes[BITS_AT + (i >> 3)] ?? 0) & (1 << (i & 7)))) continue;
    block.marks[i] = LEFT_EARLIER;
    block.left--;
  }
  return block;
}
