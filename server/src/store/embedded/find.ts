/** Look-ups of single tasks. */
import { parseBlockKey } from "../../domain/ids.ts";
import type { Lease } from "../../domain/lease.ts";
import type { AloneRecord } from "../records.ts";
import type { AttemptResult, LeasedTask, TaskSnapshot } from "../store.ts";
import type { AloneTask } from "./alone-task.ts";
import { Block } from "./block.ts";
import { parseBlockName } from "./block-name.ts";
import type { Database } from "./database.ts";
import { diskKey, nameOf } from "./disk.ts";
import { parseKey } from "./key.ts";
import { hasLeft, markFate, markOf } from "./mark.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";
import { readResult } from "./results.ts";
import { readAlone, readBody } from "./stored-tasks.ts";

export function findTask(database: Database, queue: Queue, key: string): TaskSnapshot | undefined {
  const alone = queue.alone.get(key);
  if (alone && alone.state !== "completed" && alone.state !== "cancelled") return aloneSnapshot(database, queue, alone);
  return blockSnapshot(database, queue, key) ?? resultSnapshot(database, queue, key);
}

function aloneSnapshot(database: Database, queue: Queue, task: AloneTask): TaskSnapshot {
  const { key, state, attempt, lostCount, enqueuedAtMs, runAtMs } = task;
  const record = readAlone(database, queue, key);
  const { body } = record;
  return {
    queue: queue.name,
    key,
    state,
    body,
    attempt,
    lostCount,
    enqueuedAtMs,
    runAtMs,
    lastResult: lastResult(record),
  };
}

function lastResult({ lastFailure, lastEndedAtMs }: AloneRecord): AttemptResult | undefined {
  if (!lastFailure) return undefined;
  const { durationMs, workerId } = lastFailure;
  return { success: false, result: undefined, failure: lastFailure, durationMs, workerId, endedAtMs: lastEndedAtMs };
}

function blockSnapshot(database: Database, queue: Queue, key: string): TaskSnapshot | undefined {
  const place = parseKey(key);
  if (!place) return undefined;
  const block = queue.blocks.get(place.block) ?? untouchedBlock(database, queue, place.block);
  const mark = block?.marks[place.index];
  if (!block || mark === undefined || hasLeft(mark)) return undefined;
  const isScheduled = place.index >= block.promotedTo;
  const state = isScheduled ? "scheduled" : mark > 0 && markFate(mark) === "held" ? "active" : "ready";
  return {
    queue: queue.name,
    key,
    state,
    body: readBody(database, queue, block, place.index),
    attempt: 1,
    lostCount: 0,
    enqueuedAtMs: block.enqueuedAtMs,
    runAtMs: isScheduled ? block.name.runAtMs : 0,
    lastResult: undefined,
  };
}

/** A block that memory does not know, because it was not scheduled, and none of its tasks was ever claimed. */
function untouchedBlock(database: Database, queue: Queue, blockKey: string): Block | undefined {
  const key = database.firstKey(diskKey("b", queue.id, blockKey));
  return key && new Block(parseBlockName(nameOf(key)));
}

function resultSnapshot(database: Database, queue: Queue, key: string): TaskSnapshot | undefined {
  const found = readResult(database, queue, key);
  if (!found) return undefined;
  const { success, result, failure, durationMs, workerId, endedAtMs, attempt, lostCount } = found;
  return {
    queue: queue.name,
    key,
    state: success ? "completed" : "cancelled",
    body: undefined,
    attempt,
    lostCount,
    enqueuedAtMs: parseBlockKey(key)?.timeMs ?? 0,
    runAtMs: 0,
    lastResult: { success, result, failure, durationMs, workerId, endedAtMs },
  };
}

/** What a lease is about, while it is current. */
export function findLeased(
  { database, brokerId }: EmbeddedParts,
  queue: Queue,
  lease: Lease,
  index: number,
): LeasedTask | undefined {
  if (lease.broker !== brokerId) return undefined;
  const mark = markOf(lease.sequence, "held");
  if (!lease.alone) {
    const block = queue.blocks.get(lease.block);
    if (lease.attempt !== 1 || block?.marks[index] !== mark) return undefined;
    const body = readBody(database, queue, block, index);
    return { body, attempt: 1, lostCount: 0, hasOptions: block.name.hasOptions };
  }
  const task = queue.alone.get(lease.block);
  if (index !== 0 || task?.mark !== mark || task.attempt !== lease.attempt) return undefined;
  const { attempt, lostCount, hasOptions } = task;
  return { body: readAlone(database, queue, task.key).body, attempt, lostCount, hasOptions };
}
