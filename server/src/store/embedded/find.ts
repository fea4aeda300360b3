/** Look-ups of single tasks. */
import { parseBlockKey } from "../../domain/ids.ts";
import type { Lease } from "../../domain/lease.ts";
import { lastFailureOf } from "../attempts.ts";
import type { LeasedTask, TaskSnapshot } from "../store.ts";
import type { AloneTask } from "./alone-task.ts";
import { Block } from "./block.ts";
import { type BlockName, parseBlockName } from "./block-name.ts";
import type { Database } from "./database.ts";
import { diskKey, nameOf } from "./disk.ts";
import { parseKey } from "./key.ts";
import { hasLeft, markFate, markOf } from "./mark.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";
import { resultSnapshot } from "./result-snapshot.ts";
import { readResult } from "./results.ts";
import { readAlone, readBody } from "./stored-tasks.ts";

export function findTask(database: Database, queue: Queue, key: string): TaskSnapshot | undefined {
  const alone = queue.alone.get(key);
  if (alone && alone.state !== "completed" && alone.state !== "cancelled") return aloneSnapshot(database, queue, alone);
  const place = placeOf(database, queue, key);
  if (place) {
    const body = readBody(database, queue, place.block, place.index);
    return snapshotInBlock(queue, { ...place, name: place.block.name, body });
  }
  const result = readResult(database, queue, key);
  return result && resultSnapshot(queue, key, result);
}

export function aloneSnapshot(database: Database, queue: Queue, task: AloneTask): TaskSnapshot {
  const { key, state, attempt, lostCount, enqueuedAtMs, runAtMs } = task;
  const { body, attempts } = readAlone(database, queue, key);
  return {
    queue: queue.name,
    key,
    state,
    body,
    attempt,
    lostCount,
    enqueuedAtMs,
    runAtMs: state === "scheduled" ? runAtMs : 0,
    lastResult: lastFailureOf(attempts),
    attempts,
  };
}

/** Where a task stands in its block, and its state; undefined when it is in none. */
export interface PlaceInBlock {
  readonly block: Block;
  readonly index: number;
  readonly key: string;
  readonly state: "scheduled" | "ready" | "active";
}

/** Of a block that memory does not know, an object is made for this look-up. */
export function placeOf(database: Database, queue: Queue, key: string): PlaceInBlock | undefined {
  const parsed = parseKey(key);
  const block = parsed && (queue.block(parsed.block) ?? untouchedBlock(database, queue, parsed.block));
  const mark = parsed && block?.marks[parsed.index];
  if (!block || mark === undefined || hasLeft(mark)) return undefined;
  const { index } = parsed;
  return { block, index, key, state: stateIn(block, index) };
}

/** The state of a task that is in its block. */
export function stateIn({ marks, promotedTo }: Block, index: number): "scheduled" | "ready" | "active" {
  const mark = marks[index] ?? 0;
  if (index >= promotedTo) return "scheduled";
  return mark > 0 && markFate(mark) === "held" ? "active" : "ready";
}

/** A block that was not scheduled, and of which no task was ever claimed, or left. */
function untouchedBlock(database: Database, queue: Queue, blockKey: string): Block | undefined {
  const key = database.firstKey(diskKey("b", queue.id, blockKey));
  return key && new Block(parseBlockName(nameOf(key)));
}

/** A task of a block. */
export function snapshotInBlock(
  queue: Queue,
  { key, state, name, body }: Pick<PlaceInBlock, "key" | "state"> & { readonly name: BlockName; readonly body: Buffer },
): TaskSnapshot {
  return {
    queue: queue.name,
    key,
    state,
    body,
    attempt: 1,
    lostCount: 0,
    enqueuedAtMs: parseBlockKey(name.key)?.timeMs ?? 0,
    runAtMs: state === "scheduled" ? name.runAtMs : 0,
    lastResult: undefined,
    attempts: [],
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
