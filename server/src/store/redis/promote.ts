import type { Promotion } from "../store.ts";
import type { Lane } from "./lane.ts";
import { SCRIPTS } from "./scripts.ts";

/** The most tasks that one script call promotes. */
const MAX_PROMOTED = 1_000;

/** Moves up to `max` due tasks to the line. */
export async function promote(lane: Lane, max: number): Promise<Promotion> {
  let promoted = 0;
  for (;;) {
    const count = Math.min(max - promoted, MAX_PROMOTED);
    const reply = await lane.run(SCRIPTS.promote, [...lane.wakeArgs(), count]);
    // The form that promote.lua says.
    const [moved, next, woke] = reply as readonly [number, number | Buffer, number];
    promoted += moved;
    if (woke === 1) lane.context.events.ready(lane.queue);
    const nextInMs = typeof next === "number" ? next : undefined;
    if (nextInMs !== 0 || promoted >= max) return { promoted, nextInMs };
  }
}
