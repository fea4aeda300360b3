import type { Database, Write } from "./database.ts";
import { DamageError, diskKey, seal } from "./disk.ts";

/** Rises when a record changes in a way that an older broker, or this one, would misread. */
const FORMAT = 1;

/** Refuses a file of another format; marks a new one. */
export async function checkFormat(database: Database): Promise<void> {
  const key = diskKey("f", 0, "");
  const content = database.get(key);
  if (content) {
    if (content[0] === FORMAT) return;
    throw new DamageError(`it has format ${content[0]}, and this broker knows format ${FORMAT}`);
  }
  if (database.firstKey(Buffer.alloc(0))) throw new DamageError("the record of its format is missing");
  const write: Write = { key, value: seal(key, Buffer.from([FORMAT])) };
  await database.commit([write]);
}
