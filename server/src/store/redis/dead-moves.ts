/** Reviving and deleting dead tasks. */
import type { DeadMove, TaskSnapshot } from "../store.ts";
import type { Reply } from "./connection.ts";
import type { Lane } from "./lane.ts";
import { SCRIPTS } from "./scripts.ts";

type Find = (key: string) => Promise<TaskSnapshot | undefined>;

const STATES: Readonly<Record<string, DeadMove>> = { d: "done", s: "scheduled", r: "ready", a: "active" };

export async function revive(lane: Lane, keys: readonly string[], find: Find): Promise<DeadMove[]> {
  const reply = await lane.run(SCRIPTS.revive, [...lane.wakeArgs(), ...keys]);
  // The form that revive.lua says.
  const [woke, ...letters] = reply as readonly [number, ...Buffer[]];
  if (woke === 1) lane.context.events.ready(lane.queue);
  return readMoves(keys, letters, find);
}

export async function deleteDead(lane: Lane, keys: readonly string[], find: Find): Promise<DeadMove[]> {
  const letters = await lane.run(SCRIPTS.deleteDead, keys);
  return readMoves(keys, Array.isArray(letters) ? letters : [], find);
}

/** What stands in no hash of tasks alone is in a block, or has ended. */
function readMoves(keys: readonly string[], letters: readonly Reply[], find: Find): Promise<DeadMove[]> {
  return Promise.all(
    keys.map(async (key, i) => {
      const state = STATES[String(letters[i])] ?? (await find(key))?.state ?? "missing";
      // It died between the two looks: it was not dead when it was to be moved.
      return state === "dead" ? "active" : state;
    }),
  );
}
