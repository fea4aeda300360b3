/** The record that tells how the others are to be read, and how many queues there are. */
import { CannotStart } from "../../domain/cannot-start.ts";
import type { Database, Write } from "./database.ts";
import { DamageError, diskKey, seal } from "./disk.ts";

/** Rises when a record changes in a way that an older broker, or this one, would misread. */
const FORMAT = 3;
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

/** Refuses another format; returns how many queues there are. */
export function readFormat(database: Database): number {
  const content = database.get(diskKey("f", 0, ""));
  if (!content) throw new DamageError("the record of its format is missing");
  if (content[0] !== FORMAT)
    throw new CannotStart(
      `${database.path} has format ${content[0]}, and this broker knows format ${FORMAT}: use the one that wrote it, or move the folder away`,
    );
  return content.readUInt32BE(COUNT_AT);
}
