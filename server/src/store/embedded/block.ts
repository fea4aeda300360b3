/** A block that was scheduled, or of which tasks were claimed or have left: it has an object until its last task left. */
import { BLOCK_KEY_LENGTH, parseBlockKey } from "../../domain/ids.ts";
import { VarintReader } from "../../lib/varint.ts";
import { type BlockName, blockDiskName, parseBlockName } from "./block-name.ts";
import { hasLeft, LEFT_EARLIER } from "./mark.ts";

export class Block {
  readonly name: BlockName;
  /** See mark.ts. One for each task. */
  marks: number[];
  /** How many tasks are still in it. */
  left: number;
  /** Whether a record tells which tasks left. */
  hasLeftRecord = false;
  /** How many places of the line name it. As long as there are any it is not forgotten, though all of its tasks have left. */
  places = 0;
  /** Tasks before this index are no longer scheduled. */
  promotedTo: number;
  /** The bodies, while some of them wait to be claimed. */
  content: Buffer | undefined;
  /** Where in the content the body with this index begins: claims go on from there. */
  #nextIndex = 0;
  #nextAt = 0;

  constructor(name: BlockName) {
    this.name = name;
    this.marks = new Array(name.count).fill(0);
    this.left = name.count;
    this.promotedTo = name.runAtMs > 0 ? 0 : name.count;
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

/** Some tasks of a block that stand in line: from `first` to before `end`. */
export interface BlockRun {
  readonly kind: "run";
  readonly block: Block;
  first: number;
  end: number;
}

/** How many of some tasks of a block are still in it. */
export function countHere({ marks }: Pick<Block, "marks">, first: number, end: number): number {
  let here = 0;
  for (let i = first; i < end; i++) if (!hasLeft(marks[i] ?? 0)) here++;
  return here;
}

/** Whether some of a run are still in their block. */
export function hasTasks({ block, first, end }: Omit<BlockRun, "kind">): boolean {
  for (let i = first; i < end; i++) if (!hasLeft(block.marks[i] ?? 0)) return true;
  return false;
}

/** What left a block: the rest of its name on disk after its key, and one bit for each task that left. */
export function encodeLeft({ name, marks }: Block): Buffer {
  const rest = blockDiskName(name).slice(BLOCK_KEY_LENGTH);
  const bytes = Buffer.alloc(rest.length + Math.ceil(marks.length / 8));
  bytes.write(rest, "latin1");
  for (let i = 0; i < marks.length; i++) {
    const at = rest.length + (i >> 3);
    if (hasLeft(marks[i] ?? 0)) bytes[at] = (bytes[at] ?? 0) | (1 << (i & 7));
  }
  return bytes;
}

/** The block as it was when the record was written. */
export function decodeLeft(key: string, bytes: Buffer): Block {
  const block = new Block(parseBlockName(key + bytes.toString("latin1")));
  const bitsAt = block.diskName.length - BLOCK_KEY_LENGTH;
  block.hasLeftRecord = true;
  for (let i = 0; i < block.marks.length; i++) {
    if (!((bytes[bitsAt + (i >> 3)] ?? 0) & (1 << (i & 7)))) continue;
    block.marks[i] = LEFT_EARLIER;
    block.left--;
  }
  return block;
}
