import type { State } from "../../api/states.ts";

/** Which tasks are listed; empty: all. */
export interface Query {
  readonly state: State;
  readonly queue: string;
  readonly type: string;
  readonly failure: string;
}
