import { eachBody } from "../bodies.ts";
import { type BlockName, blockDiskName } from "./block-name.ts";
import type { Database } from "./database.ts";
import type { Queue } from "./queue.ts";
import { readContent } from "./stored-tasks.ts";

/** Reads the bodies of one block after the other: each block is read once for all of its tasks that come in a row. */
export class BlockBodies {
  readonly #database: Database;
  readonly #queue: Queue;
  #key = "";
  #content: Buffer = Buffer.alloc(0);
  #bounds: number[] = [];

  constructor(database: Database, queue: Queue) {
    this.#database = database;
    this.#queue = queue;
  }

  read(name: BlockName, index: number): Buffer {
    if (name.key !== this.#key) this.#open(name);
    return this.#content.subarray(this.#bounds[2 * index], this.#bounds[2 * index + 1]);
  }

  #open(name: BlockName): void {
    const { key } = name;
    const content = this.#queue.block(key)?.content;
    this.#content = readContent(this.#database, this.#queue, { key, diskName: blockDiskName(name), content });
    this.#bounds = [];
    eachBody(this.#content, (start, end) => this.#bounds.push(start, end));
    this.#key = key;
  }
}
