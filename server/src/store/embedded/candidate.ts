import type { TaskSnapshot } from "../store.ts";

/** What stands next in a list: a task, or, without `read`, a place that is empty by now. */
export interface Candidate {
  /** The position behind it. */
  readonly position: string;
  /** Undefined when it is in another state. */
  readonly read: (() => TaskSnapshot | undefined) | undefined;
}
