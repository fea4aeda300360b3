/** The states of a task, as the contract, the address bar and the reader call them. */
import type { CounterName } from "./messages.ts";

export const STATES = ["scheduled", "ready", "active", "completed", "dead", "cancelled"] as const;
export type State = (typeof STATES)[number];

const COUNTED = {
  scheduled: "scheduled",
  ready: "ready",
  active: "active",
  completed: "completed",
  dead: "dead",
  cancelled: "cancelled",
} as const satisfies Record<State, CounterName>;

/** The number that says how many tasks are, or of those that ended well: were, in a state. */
export function counterOf(state: State): CounterName {
  return COUNTED[state];
}

/** Where it waits or runs, it can be cancelled. */
export function hasEnded(state: State | undefined): boolean {
  return state === "completed" || state === "dead" || state === "cancelled";
}

export function toState(text: string | null | undefined): State | undefined {
  const name = text?.replace(/^TASK_STATE_/, "").toLowerCase();
  return STATES.find((state) => state === name);
}

export function stateName(state: State): string {
  return `TASK_STATE_${state.toUpperCase()}`;
}
