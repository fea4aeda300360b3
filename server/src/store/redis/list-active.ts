/** The list of active tasks: of the leases of all brokers, the last enqueued first. A position is "<time>:<key>". */
import { INDEX_TEXT } from "../../domain/ids.ts";
import { bodyAt } from "../bodies.ts";
import type { ListedTask, TaskSnapshot } from "../store.ts";
import { decodeMeta } from "./alone-value.ts";
import { placeOf } from "./find.ts";
import { BlockLease } from "./held-lease.ts";
import { BLOCK_HEADER } from "./inspect.ts";
import type { Lane } from "./lane.ts";
import { partsOf, type Walk } from "./list-walk.ts";
import { SCRIPTS } from "./scripts.ts";
import { aloneSnapshot, blockSnapshot } from "./snapshots.ts";
import { letterOf } from "./task-state.ts";

interface ActiveTask {
  readonly key: string;
  readonly timeMs: number;
  /** The block that it stands in; undefined when it is alone. */
  readonly block: BlockLease | undefined;
  readonly index: number;
}

export function walkActive(lane: Lane, brokers: () => Promise<readonly string[]>): Walk {
  let sorted: readonly ActiveTask[] | undefined;
  return async (after, max) => {
    const [time = "", key = ""] = after === "" ? [] : partsOf(after, /^(\d{1,15}):(\S{1,200})$/);
    sorted ??= (await activeTasks(lane, await brokers())).sort(compare);
    const start = after === "" ? 0 : sorted.findIndex((one) => compare(one, { timeMs: Number(time), key }) > 0);
    if (start < 0) return { tasks: [], next: undefined };
    const chosen = sorted.slice(start, start + Math.min(max, PORTION));
    const last = chosen.at(-1);
    const isOver = !last || start + chosen.length >= sorted.length;
    return { tasks: await read(lane, chosen), next: isOver ? undefined : positionOf(last) };
  };
}

/** So many are read at once. */
const PORTION = 250;

function positionOf({ timeMs, key }: Pick<ActiveTask, "timeMs" | "key">): string {
  return `${timeMs}:${key}`;
}

function compare(a: Pick<ActiveTask, "timeMs" | "key">, b: Pick<ActiveTask, "timeMs" | "key">): number {
  if (a.timeMs !== b.timeMs) return b.timeMs - a.timeMs;
  return a.key === b.key ? 0 : a.key < b.key ? 1 : -1;
}

async function activeTasks(lane: Lane, brokers: readonly string[]): Promise<ActiveTask[]> {
  const tasks: ActiveTask[] = [];
  const named: string[] = [];
  for (const leases of await Promise.all(brokers.map((broker) => lane.leasesOf(broker)))) {
    for (const text of leases.values()) {
      const key = text.slice(2);
      if (!text.startsWith("a ")) tasks.push(...ofBlock(new BlockLease(text)));
      else if (key.startsWith("=")) named.push(key);
      else tasks.push({ key, timeMs: placeOf(key)?.enqueuedAtMs ?? 0, block: undefined, index: 0 });
    }
  }
  // A caller's key does not tell when it was enqueued.
  for (const [i, record] of (await lane.records(named)).entries()) {
    const key = named[i] ?? "";
    if (record) tasks.push({ key, timeMs: decodeMeta(record).enqueuedAtMs, block: undefined, index: 0 });
  }
  return tasks;
}

function ofBlock(block: BlockLease): ActiveTask[] {
  return block.outstanding().map((index) => {
    return { key: block.block + INDEX_TEXT[index], timeMs: block.enqueuedAtMs, block, index };
  });
}

async function read(lane: Lane, chosen: readonly ActiveTask[]): Promise<ListedTask[]> {
  const keys = chosen.filter(({ block }) => !block).map(({ key }) => key);
  const ids = [...new Set(chosen.flatMap(({ block }) => block?.id ?? []))];
  // The form that read-tasks.lua says.
  const flat = (await lane.run(SCRIPTS.readTasks, [keys.length, ...keys, ...ids])) as readonly Buffer[];
  const entries = new Map(ids.map((id, i) => [id, flat[2 * keys.length + i]]));
  return chosen.flatMap((one) => {
    const at = 2 * keys.indexOf(one.key);
    const task = one.block
      ? inBlock(lane.queue, one.block, one.index, entries.get(one.block.id))
      : alone(lane.queue, one.key, flat[at], flat[at + 1]);
    return task ? [{ task, timeMs: one.timeMs, position: positionOf(one) }] : [];
  });
}

function inBlock(queue: string, lease: BlockLease, index: number, entry: Buffer | undefined): TaskSnapshot | undefined {
  if (!entry || entry.length === 0) return undefined;
  const { block, enqueuedAtMs } = lease;
  return blockSnapshot(queue, "active", {
    block,
    index,
    enqueuedAtMs,
    body: bodyAt(entry.subarray(BLOCK_HEADER), index),
  });
}

/** It may have been settled between the looks. */
function alone(
  queue: string,
  key: string,
  state: Buffer | undefined,
  record: Buffer | undefined,
): TaskSnapshot | undefined {
  if (!state || !record || record.length === 0 || letterOf(String(state)) !== "a") return undefined;
  return aloneSnapshot({ queue, key }, String(state), record, 0);
}
