/** Lists of tasks that stand in a sorted set: scheduled, dead, or ready with a priority. */
import type { ListedTask } from "../store.ts";
import type { Lane } from "./lane.ts";
import { partsOf, type Walk } from "./list-walk.ts";
import { SCRIPTS } from "./scripts.ts";
import { aloneSnapshot } from "./snapshots.ts";
import { type Letter, letterOf } from "./task-state.ts";

export interface Sorted {
  /** As list-sorted.lua names them. */
  readonly which: "due" | "dead" | "group" | "low" | "high";
  /** The state of the tasks that are meant: others are about to leave. */
  readonly letter: Letter;
  readonly group?: string;
}

/** A position is "<score>:<member>". */
export function walkSorted(lane: Lane, { which, letter, group = "" }: Sorted): Walk {
  return async (after, max) => {
    const [score = "", member = ""] = after === "" ? [] : partsOf(after, /^(-?\d+):(\S{1,200})$/);
    // A member of a group has the group and the time before its key.
    const reply = await lane.run(SCRIPTS.listSorted, [which, group, score, member, max]);
    // The form that list-sorted.lua says.
    const [isOver, ...flat] = reply as readonly [number, ...Buffer[]];
    const tasks: ListedTask[] = [];
    let next = after;
    for (let at = 0; at < flat.length; at += 5) {
      const [placeOf, scoreOf, keyOf, stateOf, record] = flat.slice(at, at + 5);
      const key = String(keyOf);
      next = `${scoreOf}:${which === "group" ? key : placeOf}`;
      const state = String(stateOf);
      if (!record || record.length === 0 || letterOf(state) !== letter) continue;
      const task = aloneSnapshot({ queue: lane.queue, key }, state, record, Number(scoreOf));
      tasks.push({ task, timeMs: letter === "r" ? task.enqueuedAtMs : Number(scoreOf), position: next });
    }
    return { tasks, next: isOver === 1 ? undefined : next };
  };
}
