import type { Argument } from "./script.ts";

/** One entry of the list of the script `settle`: see its header. */
export interface Entry {
  readonly head: readonly Argument[];
  readonly effects: readonly Argument[];
  /** Keys of the tasks that it ends. */
  readonly endedKeys: () => readonly string[];
  /** The delays of the tasks that it schedules. */
  readonly delaysMs: readonly number[];
}
