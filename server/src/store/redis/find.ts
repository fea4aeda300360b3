import { keyIndex, parseBlockKey } from "../../domain/ids.ts";
import { bodyAt } from "../bodies.ts";
import { type FoundResult, findResult } from "../records.ts";
import type { AttemptResult, LeasedTask, TaskSnapshot } from "../store.ts";
import type { Lease } from "../../domain/lease.ts";
import { leasedKey } from "../../domain/lease.ts";
import { type AloneMeta, decodeRecord } from "./alone-record.ts";
import { type Context, SCRIPTS, scriptKeys } from "./context.ts";
import { parseEntryId, parseLease } from "./lease-text.ts";

/** Bytes before the first body of a block: flags, count, nonce, bytes of the longer lengths. */
const HEADER = 9;

/** All that stands in Redis of one task. */
export interface Found {
  /** Of a task alone: its state (see settle-entry.ts) and its record; else "" and undefined. */
  readonly stateText: string;
  readonly alone: { readonly meta: AloneMeta; readonly body: Buffer } | undefined;
  /** When it is due; 0 if it is not scheduled. */
  readonly dueMs: number;
  readonly result: FoundResult | undefined;
  /** The block that it is in, if it has not left it. */
  readonly block: FoundBlock | undefined;
}

interface FoundBlock {
  readonly body: Buffer;
  readonly hasOptions: boolean;
  readonly isClaimed: boolean;
}

export async function readFound(context: Context, queue: string, key: string): Promise<Found> {
  const name = parseBlockKey(key);
  const id = name ? `${name.timeMs}-${name.sequence}` : "";
  const args = [key, name ? key.slice(0, -2) : "", id];
  const keys = scriptKeys(context, SCRIPTS.find, queue, context.brokerId());
  // As the script's header says.
  const reply = (await context.commands.read(SCRIPTS.find, keys, args)) as [Buffer, Buffer, Buffer, Buffer[], Buffer, Buffer, Buffer[]];
  const [state, record, due, results, entry, cursor, back] = reply;
  const index = name ? keyIndex(key) : 0;
  const isHere = name && entry.length > 0 && entry.toString("latin1", 2, 8) === name.nonce && index < (entry[1] ?? 0) && (entry[0] ?? 0) < 2;
  return {
    stateText: state.toString(),
    alone: state.length > 0 ? decodeRecord(record) : undefined,
    dueMs: Number(due.toString() || 0),
    result: findNewest(results, index),
    block: isHere
      ? { body: bodyAt(entry.subarray(HEADER), index), hasOptions: entry[0] === 1, isClaimed: isClaimed({ id, index, cursor: cursor.toString(), back }) }
      : undefined,
  };
}

function findNewest(records: readonly Buffer[], index: number): FoundResult | undefined {
  for (const record of records) {
    const result = findResult(record, index);
    if (result) return result;
  }
  return undefined;
}

interface Standing {
  readonly id: string;
  readonly index: number;
  /** "ID", or "ID INDEX PLACE" within a block. */
  readonly cursor: string;
  readonly back: readonly Buffer[];
}

/** Whether a task of a block is behind the cursor, and has not come back to the front. */
function isClaimed({ id, index, cursor, back }: Standing): boolean {
  const [cursorId = "", reached] = cursor.split(" ");
  if (id === cursorId && reached !== undefined && index >= Number(reached)) return false;
  const [at, here] = [parseEntryId(cursorId), parseEntryId(id)];
  if (here.timeMs > at.timeMs || (here.timeMs === at.timeMs && here.sequence > at.sequence)) return false;
  return !back.some((item) => {
    const [, itemId, , first, count] = item.toString().split(" ");
    return itemId === id && index >= Number(first) && index < Number(first) + Number(count);
  });
}

const STATES = { s: "scheduled", r: "ready", a: "active", d: "dead" } as const;

export async function findSnapshot(context: Context, queue: string, key: string): Promise<TaskSnapshot | undefined> {
  const { stateText, alone, dueMs, result, block } = await readFound(context, queue, key);
  if (alone) {
    const { meta, body } = alone;
    // The first letter of a state is one of these.
    const state = STATES[stateText[0] as keyof typeof STATES];
    const runAtMs = state === "scheduled" ? dueMs || meta.runAtMs : 0;
    const { attempt, lostCount, enqueuedAtMs } = meta;
    return { queue, key, state, body, attempt, lostCount, enqueuedAtMs, runAtMs, lastResult: lastFailure(meta) };
  }
  const enqueuedAtMs = parseBlockKey(key)?.timeMs ?? 0;
  if (result) {
    const { success, attempt, lostCount } = result;
    const state = success ? "completed" : "cancelled";
    return { queue, key, state, body: undefined, attempt, lostCount, enqueuedAtMs, runAtMs: 0, lastResult: result };
  }
  if (!block) return undefined;
  const state = block.isClaimed ? "active" : "ready";
  return { queue, key, state, body: block.body, attempt: 1, lostCount: 0, enqueuedAtMs, runAtMs: 0, lastResult: undefined };
}

function lastFailure({ lastFailure: failure, lastEndedAtMs }: AloneMeta): AttemptResult | undefined {
  if (!failure) return undefined;
  const { durationMs, workerId } = failure;
  return { success: false, result: undefined, failure, durationMs, workerId, endedAtMs: lastEndedAtMs };
}

export async function findLeasedTask(context: Context, lease: Lease, index: number): Promise<LeasedTask | undefined> {
  const { commands, keys } = context;
  const { queue, broker, sequence } = lease;
  const text = await commands.guard(() => commands.connection.hget(keys.leases(queue, broker), String(sequence)));
  if (text === null) return undefined;
  const state = parseLease(text);
  const key = leasedKey(lease, index);
  if (state.kind === "alone" ? state.key !== key : state.outstanding[index - state.first] !== 1) return undefined;
  const { alone, block } = await readFound(context, queue, key);
  if (alone) {
    const { attempt, lostCount, hasOptions } = alone.meta;
    return attempt === lease.attempt ? { body: alone.body, attempt, lostCount, hasOptions } : undefined;
  }
  return block && lease.attempt === 1 ? { body: block.body, attempt: 1, lostCount: 0, hasOptions: block.hasOptions } : undefined;
}
