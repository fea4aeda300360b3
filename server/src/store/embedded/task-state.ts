import type { TaskState } from "../../domain/state.ts";
import type { Database } from "./database.ts";
import { placeOf } from "./find.ts";
import { parseKey } from "./key.ts";
import type { Queue } from "./queue.ts";
import { readResult } from "./results.ts";
import type { Turn } from "./turn.ts";

/** The state of a task while a turn is prepared; undefined when there is no such task, or its result was dropped. */
export function stateOf(database: Database, queue: Queue, key: string, turn: Turn): TaskState | undefined {
  const state = queue.alone.get(key)?.state ?? placeOf(database, queue, key)?.state;
  if (state) return state;
  // The disk does not have yet what this turn brought about.
  const parsed = parseKey(key);
  const block = parsed && queue.block(parsed.block);
  const ended = block ? turn.endInBlock(block, parsed.index) : undefined;
  if (ended) return ended.failure ? "cancelled" : "completed";
  const result = readResult(database, queue, key);
  return result && (result.success ? "completed" : "cancelled");
}
