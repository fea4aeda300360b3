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
}

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
  for (let tries = 1; ; tries++) {
    const found = await look(lane, key, place);
    if (found.state !== "" && found.record.length > 0)
      return aloneSnapshot({ queue: lane.queue, key }, found.state, found.record, Number(found.due));
    const ended = endedIn(lane.queue, key, place, found.results);
    if (ended || !place || !isIn(found.entry, place)) return ended;
    const state = isReady(place, found) ? "ready" : (await isLeased(lane, place, brokers)) ? "active" : undefined;
    if (state) {
      const body = bodyAt(found.entry.subarray(BLOCK_HEADER), place.index);
      return blockSnapshot(lane.queue, state, { ...place, body });
    }
    // It may have gone on between the two looks.
    if (tries === 2) return undefined;
  }
}

/** Whether a task of a block was released and not claimed since. */
export async function isAtFront(lane: Lane, key: string): Promise<boolean> {
  const place = placeOf(key);
  if (!place) return false;
  const { front, gone } = await look(lane, key, place);
  return covers(front, place) && !gone.includes(place.index);
}

async function look(lane: Lane, key: string, place: Place | undefined): Promise<Found> {
  const reply = await lane.run(SCRIPTS.find, [key, place?.block ?? "", place?.id ?? ""]);
  // The form that find.lua says.
  const [state, record, due, results, entry, cursor, front, gone] = reply as readonly [
    Buffer,
    Buffer,
    Buffer,
    Buffer[],
    Buffer,
    Buffer,
    Buffer[],
    Buffer,
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

/** The last resort, for a task that was claimed: someone holds it, or its result was dropped already. */
async function isLeased(lane: Lane, place: Place, brokers: () => Promise<readonly string[]>): Promise<boolean> {
  for (const [sequence, { held }] of lane.held) {
    if (held.kind !== "block" || held.id !== place.id || !held.has(place.index)) continue;
    // Another broker may have settled it by its token since.
    if (isAbout(await lane.leaseText(sequence), place)) return true;
  }
  for (const broker of await brokers()) {
    for (const text of (await lane.leasesOf(broker)).values()) if (isAbout(text, place)) return true;
  }
  return false;
}

/** Whether the task is outstanding under a lease. */
function isAbout(lease: string, { id, index }: Place): boolean {
  return lease.startsWith(`b ${id} `) && new BlockLease(lease).has(index);
}
