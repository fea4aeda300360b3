/** The list of what ended lately, completed and cancelled together. A position is the number of a result. */
import { BLOCK_KEY_LENGTH, INDEX_TEXT } from "../../domain/ids.ts";
import { eachResult } from "../records.ts";
import type { ListedTask } from "../store.ts";
import { placeOf } from "./find.ts";
import type { Lane } from "./lane.ts";
import { partsOf, type Walk } from "./list-walk.ts";
import { SCRIPTS } from "./scripts.ts";
import { resultSnapshot } from "./snapshots.ts";

export function walkEnded(lane: Lane): Walk {
  return async (after, max) => {
    const [before = ""] = after === "" ? [] : partsOf(after, /^(\d{1,15})$/);
    const reply = await lane.run(SCRIPTS.listEnded, [before, max]);
    // The form that list-ended.lua says.
    const [isOver, ...flat] = reply as readonly [number, ...(number | Buffer)[]];
    const tasks: ListedTask[] = [];
    let next = after;
    for (let at = 0; at < flat.length; at += 4) {
      const [last, n, field, results] = flat.slice(at, at + 4) as [number, number, Buffer, Buffer];
      const first = last - n + 1;
      // Behind those of this entry stand what was recorded of its block later.
      const ended = results.length > 0 ? [...eachResult(results)].slice(0, n) : [];
      for (let i = ended.length - 1; i >= 0; i--) {
        const [one, number] = [ended[i], first + i];
        if (!one || (before !== "" && number >= Number(before))) continue;
        const key = keyOf(String(field), one.index);
        const found = one.read();
        const task = resultSnapshot(lane.queue, key, placeOf(key)?.enqueuedAtMs ?? 0, found);
        tasks.push({ task, timeMs: found.endedAtMs, position: String(number) });
      }
      next = String(first);
    }
    return { tasks, next: isOver === 1 ? undefined : next };
  };
}

/** @param field a block, or a task */
function keyOf(field: string, index: number): string {
  const isBlock = !field.startsWith("=") && field.length === BLOCK_KEY_LENGTH;
  return isBlock ? field + INDEX_TEXT[index] : field;
}
