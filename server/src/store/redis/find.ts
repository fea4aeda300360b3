/** What is known of one task, put together from the places where it may be. */
import { BLOCK_KEY_LENGTH, INDEX_TEXT, keyIndex, parseBlockKey } from "../../domain/ids.ts";
import { bodyAt } from "../bodies.ts";
import { findResult } from "../records.ts";
import type { TaskSnapshot } from "../store.ts";
import { BlockLease, streamId } from "./held-lease.ts";
import { BLOCK_HEADER } from "./inspect.ts";
import type { Lane } from "./lane.ts";
import { SCRIPTS } from "./scripts.ts";
import { aloneSnapshot, blockSnapshot, resultSnapshot } from "./snapshots.ts";

/** What find.lua returns. */
interface Found {
  readonly state: string;
  readonly record: Buffer;
  readonly due: string;
  readonly results: readonly Buffer[];
  readonly entry: Buffer;
  /** How far the line was claimed. */
  readonly cursor: string;
  /** What came back to the front of the line. */
  readonly front: readonly string[];
  /** Indexes of tasks of its block that were cancelled while they waited in it. */
  readonly gone: Buffer;
  /** Those of its block, of the brokers that were asked about. */
  readonly leases: readonly string[];
}

/** Whoever holds it may have begun, or been given a new id, since the brokers were listed. */
const MAX_LOOKS = 3;

/** A key made by the store, taken apart. */
export interface Place {
  readonly block: string;
  readonly nonce: string;
  readonly enqueuedAtMs: number;
  readonly id: string;
  readonly index: number;
}

/** @param brokers all that may hold leases; asked only when a task is neither in the line nor ended */
export async function find(
  lane: Lane,
  key: string,
  brokers: () => Promise<readonly string[]>,
): Promise<TaskSnapshot | undefined> {
  const place = placeOf(key);
  for (let looks = 1; ; looks++) {
    // All in one look, for a task may go from one broker to the next all the time.
    const found = await look(lane, key, place, looks === 1 ? ownIfHeld(lane, place) : await brokers());
    if (found.state !== "" && found.record.length > 0)
      return aloneSnapshot({ queue: lane.queue, key }, found.state, found.record, Number(found.due));
    const ended = endedIn(lane.queue, key, place, found.results);
    if (ended || !place || !isIn(found.entry, place)) return ended;
    const state = isReady(place, found) ? "ready" : isLeased(place, found) ? "active" : undefined;
    if (state) {
      const body = bodyAt(found.entry.subarray(BLOCK_HEADER), place.index);
      return blockSnapshot(lane.queue, state, { ...place, body });
    }
    // Its result was dropped already.
    if (looks === MAX_LOOKS) return undefined;
  }
}

/** Whether a task of a block was released and not claimed since. */
export async function isAtFront(lane: Lane, key: string): Promise<boolean> {
  const place = placeOf(key);
  if (!place) return false;
  const { front, gone } = await look(lane, key, place);
  return covers(front, place) && !gone.includes(place.index);
}

async function look(
  lane: Lane,
  key: string,
  place: Place | undefined,
  brokers: readonly string[] = [],
): Promise<Found> {
  const reply = await lane.run(SCRIPTS.find, [key, place?.block ?? "", place?.id ?? "", ...brokers]);
  // The form that find.lua says.
  const [state, record, due, results, entry, cursor, front, gone, leases] = reply as readonly [
    Buffer,
    Buffer,
    Buffer,
    Buffer[],
    Buffer,
    Buffer,
    Buffer[],
    Buffer,
    Buffer[],
  ];
  return {
    state: String(state),
    record,
    due: String(due),
    results,
    entry,
    cursor: String(cursor),
    front: front.map(String),
    gone,
    leases: leases.map(String),
  };
}

export function placeOf(key: string): Place | undefined {
  const name = parseBlockKey(key);
  const id = streamId(key);
  const index = keyIndex(key);
  if (!name || id === undefined || !(index < INDEX_TEXT.length)) return undefined;
  return { block: key.slice(0, BLOCK_KEY_LENGTH), nonce: name.nonce, enqueuedAtMs: name.timeMs, id, index };
}

function endedIn(
  queue: string,
  key: string,
  place: Place | undefined,
  results: readonly Buffer[],
): TaskSnapshot | undefined {
  for (const records of results) {
    const found = findResult(records, place?.index ?? 0);
    if (found) return resultSnapshot(queue, key, place?.enqueuedAtMs ?? 0, found);
  }
  return undefined;
}

function isIn(entry: Buffer, { nonce, index }: Place): boolean {
  return entry.length > 0 && entry[0] !== 2 && entry.toString("latin1", 2, 8) === nonce && index < (entry[1] ?? 0);
}

function isReady(place: Place, { cursor, front, gone }: Found): boolean {
  if (gone.includes(place.index)) return false;
  const [id = "", index] = cursor.split(" ");
  const order = compareIds(place.id, id);
  if (order > 0 || (order === 0 && index !== undefined && place.index >= Number(index))) return true;
  return covers(front, place);
}

function covers(front: readonly string[], place: Place): boolean {
  return front.some((item) => isAbout(item, place));
}

function compareIds(a: string, b: string): number {
  const [aMs = 0, aSequence = 0] = a.split("-").map(Number);
  const [bMs = 0, bSequence = 0] = b.split("-").map(Number);
  return aMs - bMs || aSequence - bSequence;
}

/** This broker, if it seems to hold the task: another may have settled it by its token since. */
function ownIfHeld(lane: Lane, place: Place | undefined): readonly string[] {
  for (const { held } of lane.held.values()) {
    if (held.kind === "block" && held.id === place?.id && held.has(place.index)) return [lane.context.broker()];
  }
  return [];
}

function isLeased(place: Place, { leases }: Found): boolean {
  return leases.some((lease) => isAbout(lease, place));
}

/** Whether the task is outstanding under a lease. */
function isAbout(lease: string, { id, index }: Place): boolean {
  return lease.startsWith(`b ${id} `) && new BlockLease(lease).has(index);
}
