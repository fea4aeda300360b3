/** How tasks ended: records by task or block, and an index by time, from which the oldest are dropped. */
import { BLOCK_KEY_LENGTH, parseBase32 } from "../../domain/ids.ts";
import { type Lease, leasedKey } from "../../domain/lease.ts";
import { type FoundResult, findResult } from "../records.ts";
import type { Database } from "./database.ts";
import { diskKey, nameOf } from "./disk.ts";
import { parseKey } from "./key.ts";
import type { Queue } from "./queue.ts";
import { decodeResultNames, encodeResultNames } from "./result-names.ts";
import { STAMP_LENGTH } from "./stamps.ts";
import type { Turn } from "./turn.ts";

/** A block's results are named by the block and a stamp; those of a task alone by its key. */
export const BLOCK_RESULT_LENGTH = BLOCK_KEY_LENGTH + STAMP_LENGTH;

/** The result of a task that has ended; undefined when there is none. */
export function readResult(database: Database, queue: Queue, key: string): FoundResult | undefined {
  const alone = database.get(diskKey("r", queue.id, key));
  if (alone) return findResult(alone, 0);
  const place = parseKey(key);
  if (!place) return undefined;
  for (const { key: name, content } of database.entries(diskKey("r", queue.id, place.block))) {
    // Others are of tasks that had left the block.
    if (nameOf(name).length !== BLOCK_RESULT_LENGTH) continue;
    const found = findResult(content, place.index);
    if (found) return found;
  }
  return undefined;
}

/** Whether a task ended under this lease, and how. */
export function endedUnder(
  database: Database,
  queue: Queue,
  lease: Lease,
  index: number,
): "ack" | "discard" | undefined {
  const { broker, sequence, attempt } = lease;
  const found = readResult(database, queue, leasedKey(lease, index));
  if (!found || found.broker !== broker || found.sequence !== sequence || found.attempt !== attempt) return undefined;
  return found.success ? "ack" : "discard";
}

export interface ResultLimits {
  readonly resultTtlMs: number;
  readonly maxResultsPerQueue: number;
}

/** Records of the index that one commit drops at most. */
const DROPPED_AT_ONCE = 20;

/** Drops the oldest results that are past their time or above the cap; returns whether there may be more of them. */
export function dropResults(database: Database, queue: Queue, limits: ResultLimits, turn: Turn): boolean {
  const index = [...database.entries(diskKey("i", queue.id, ""), DROPPED_AT_ONCE)];
  for (const { key, content } of index) {
    const stamp = nameOf(key);
    const isOld = parseBase32(stamp.slice(0, 10)) + limits.resultTtlMs <= turn.nowMs;
    const names = decodeResultNames(content);
    let dropped = 0;
    for (const { name, count } of names) {
      if (!isOld && queue.counters.results <= limits.maxResultsPerQueue) break;
      turn.count(queue);
      queue.counters.results -= count;
      turn.remove("r", queue, name);
      dropped++;
    }
    if (dropped === names.length) turn.remove("i", queue, stamp);
    else if (dropped > 0) turn.put("i", queue, stamp, encodeResultNames(names.slice(dropped)));
    if (dropped < names.length) return false;
  }
  return index.length === DROPPED_AT_ONCE;
}
