/** The bodies of blocks, from memory or from disk. */
import { bodyAt } from "../bodies.ts";
import type { Block } from "./block.ts";
import type { Database } from "./database.ts";
import { DamageError, diskKey } from "./disk.ts";
import type { Queue } from "./queue.ts";

/** All bodies of a block, as they were stored. */
export function readContent(database: Database, queue: Queue, block: Block): Buffer {
  const content = block.content ?? database.get(diskKey("b", queue.id, block.diskName));
  if (!content) throw new DamageError(`the record of block ${block.key} in queue ${queue.name} is missing`);
  return content;
}

export function readBody(database: Database, queue: Queue, block: Block, index: number): Buffer {
  return bodyAt(readContent(database, queue, block), index);
}
