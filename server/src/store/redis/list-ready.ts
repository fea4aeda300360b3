/**
 * The list of ready tasks: the line from its end. First low priorities, then the stream, then what came back to its front, then
 * high priorities. A position is the letter of the part, and the position in it; or the letter alone: its start.
 */
import { eachBody } from "../bodies.ts";
import type { ListedTask } from "../store.ts";
import { blockKeyOf } from "./held-lease.ts";
import { BLOCK_HEADER } from "./inspect.ts";
import type { Lane } from "./lane.ts";
import { walkSorted } from "./list-sorted.ts";
import { type Portion, partsOf, type Walk } from "./list-walk.ts";
import { SCRIPTS } from "./scripts.ts";
import { aloneSnapshot, blockSnapshot } from "./snapshots.ts";
import { letterOf } from "./task-state.ts";

type Part = "l" | "s" | "b" | "h";

const FOLLOWING: Readonly<Record<Part, Part | undefined>> = { l: "s", s: "b", b: "h", h: undefined };

export function walkReady(lane: Lane): Walk {
  const walks: Readonly<Record<Part, Walk>> = {
    l: walkSorted(lane, { which: "low", letter: "r" }),
    s: walkLine(lane, "line"),
    b: walkLine(lane, "back"),
    h: walkSorted(lane, { which: "high", letter: "r" }),
  };
  return async (after, max) => {
    const tasks: ListedTask[] = [];
    let next = after === "" ? "l" : after;
    for (;;) {
      const [letter = "", inside = ""] = partsOf(next, /^([lsbh])(.*)$/);
      // The form says so.
      const part = letter as Part;
      const portion = await walks[part](inside, max - tasks.length);
      for (const one of portion.tasks) tasks.push({ ...one, position: part + one.position });
      const following = FOLLOWING[part];
      if (portion.next !== undefined) return { tasks, next: part + portion.next };
      if (!following) return { tasks, next: undefined };
      next = following;
      if (tasks.length >= max) return { tasks, next };
    }
  };
}

/** A position is "<place of the entry>:<index>". */
function walkLine(lane: Lane, which: "line" | "back"): Walk {
  return async (after, max): Promise<Portion> => {
    const [place = "", upto = ""] = after === "" ? [] : partsOf(after, /^(\d+(?:-\d+)?):(\d+)$/);
    const reply = await lane.run(SCRIPTS.listLine, [which, place, upto, max]);
    // The form that list-line.lua says.
    const [isOver, ...entries] = reply as readonly [
      number,
      ...(readonly [Buffer, Buffer, Buffer, number, ...unknown[]])[],
    ];
    const tasks: ListedTask[] = [];
    let next = after;
    for (const [placeOf, id, entry, first, ...rest] of entries) {
      const position = (index: number) => `${String(placeOf)}:${index}`;
      const found =
        entry.length > 0
          ? ofBlock(lane.queue, { id: String(id), entry, first, rest: rest as [number, Buffer] })
          : ofReferences(lane.queue, first, rest as Buffer[]);
      for (const { task, index } of found.reverse())
        tasks.push({ task, timeMs: task.enqueuedAtMs, position: position(index) });
      next = position(first);
    }
    return { tasks, next: isOver === 1 ? undefined : next };
  };
}

type Indexed = Pick<ListedTask, "task"> & { readonly index: number };

interface Slice {
  readonly id: string;
  readonly entry: Buffer;
  readonly first: number;
  /** The index after the last, and the indexes of those that are gone. */
  readonly rest: readonly [number, Buffer];
}

function ofBlock(queue: string, { id, entry, first, rest: [upto, gone] }: Slice): Indexed[] {
  const block = blockKeyOf(id, entry.toString("latin1", 2, 8));
  const enqueuedAtMs = Number.parseInt(id, 10);
  const bodies = entry.subarray(BLOCK_HEADER);
  const found: Indexed[] = [];
  let index = 0;
  eachBody(bodies, (start, end) => {
    if (index >= first && index < upto && !gone.includes(index)) {
      const body = bodies.subarray(start, end);
      found.push({ task: blockSnapshot(queue, "ready", { block, index, enqueuedAtMs, body }), index });
    }
    index++;
  });
  return found;
}

/** @param flat key, state and record of each */
function ofReferences(queue: string, first: number, flat: readonly Buffer[]): Indexed[] {
  const found: Indexed[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    const [key, state, record] = flat.slice(at, at + 3);
    // Those that were claimed, cancelled or acknowledged since may still be referred to.
    if (!record || record.length === 0 || letterOf(String(state)) !== "r") continue;
    const task = aloneSnapshot({ queue, key: String(key) }, String(state), record, 0);
    found.push({ task, index: first + at / 3 });
  }
  return found;
}
