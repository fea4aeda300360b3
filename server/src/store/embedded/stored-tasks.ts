/** What tasks are made of, from memory or from disk. That a record is missing which memory tells of is damage. */
import { bodyAt } from "../bodies.ts";
import type { AloneRecord } from "../records.ts";
import { decodeStoredAlone } from "./alone-record.ts";
import type { AloneTask } from "./alone-task.ts";
import type { Block } from "./block.ts";
import type { Database } from "./database.ts";
import { DamageError, diskKey } from "./disk.ts";
import type { Queue } from "./queue.ts";
import type { Turn } from "./turn.ts";

/** All bodies of a block, as they were stored. */
export function readContent(
  database: Database,
  queue: Queue,
  block: Pick<Block, "content" | "diskName" | "key">,
): Buffer {
  const content = block.content ?? database.get(diskKey("b", queue.id, block.diskName));
  if (!content) throw new DamageError(`the record of block ${block.key} in queue ${queue.name} is missing`);
  return content;
}

export function readBody(database: Database, queue: Queue, block: Block, index: number): Buffer {
  return bodyAt(readContent(database, queue, block), index);
}

/** The record of a task that is stored by itself. */
export function readAlone(database: Database, queue: Queue, key: string): AloneRecord {
  const bytes = database.get(diskKey("a", queue.id, key));
  if (!bytes) throw new DamageError(`the record of task ${key} in queue ${queue.name} is missing`);
  return decodeStoredAlone(bytes).record;
}

/** The same while a turn is prepared, which may have written it. */
export function recordOf(database: Database, queue: Queue, task: AloneTask, turn: Turn): AloneRecord {
  return turn.recordOf(task) ?? readAlone(database, queue, task.key);
}
