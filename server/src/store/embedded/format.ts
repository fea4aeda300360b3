/** The record that tells how the others are to be read, and how many queues there are. */
import type { Database, Write } from "./database.ts";
import { DamageError, diskKey, seal } from "./disk.ts";

/** Rises when a record changes in a way that an older broker, or this one, would misread. */
const FORMAT = 2;
/** Format 1 is read as well: it had no blocks that are scheduled. */
const OLDEST_FORMAT = 1;
const COUNT_AT = 1;

export function formatWrite(queueCount: number): Write {
  const key = diskKey("f", 0, "");
  const content = Buffer.alloc(COUNT_AT + 4);
  content[0] = FORMAT;
  content.writeUInt32BE(queueCount, COUNT_AT);
  return { key, value: seal(key, content) };
}

/** Writes the record to a file that has none yet. */
export async function markNew(database: Database): Promise<void> {
  if (database.firstKey(Buffer.alloc(0)) === undefined) await database.commit([formatWrite(0)]);
}

/** Tells older brokers that they cannot read what will be written from now on. */
export async function raiseFormat(database: Pick<Database, "path" | "get" | "commit">): Promise<void> {
  if (readContent(database)[0] !== FORMAT) await database.commit([formatWrite(readFormat(database))]);
}

/** Refuses another format; returns how many queues there are. */
export function readFormat(database: Pick<Database, "path" | "get">): number {
  const content = readContent(database);
  const format = content[0] ?? 0;
  if (format < OLDEST_FORMAT || format > FORMAT)
    throw new Error(`${database.path} has format ${format}, and this broker knows format ${FORMAT}: use a newer one`);
  return content.readUInt32BE(COUNT_AT);
}

function readContent(database: Pick<Database, "get">): Buffer {
  const content = database.get(diskKey("f", 0, ""));
  if (!content) throw new DamageError("the record of its format is missing");
  return content;
}
