/**
 * The text in the hash `state` of a task alone: the state, the move by which its last lease ended, that lease, when its
 * priority is not 0, its rank in the line, and, when it is dead, the group of failures that it was put in:
 * "s" "t" "<broker>:<sequence>" "|" "-5" "~" "<group>". Knowing the move and its lease lets a repeated settlement be told from
 * a stale one, and a late ack of a lost task be let through.
 */
import type { Lease } from "../../domain/lease.ts";
import type { Move } from "./moves.ts";

export type Letter = "s" | "r" | "a" | "d";

const MOVES: Readonly<Record<Move["kind"], string>> = {
  retry: "t",
  snooze: "z",
  bury: "b",
  release: "f",
  lose: "l",
  // These end a task: then no state is left.
  ack: "",
  discard: "",
  cancel: "",
};

const DESTINATIONS: Readonly<Partial<Record<Move["kind"], Letter>>> = {
  retry: "s",
  snooze: "s",
  bury: "d",
  release: "r",
  lose: "r",
};

/** The state that a settlement leaves behind. */
export function stateAfter(kind: Move["kind"], lease: Lease, rank: string): string {
  const text = `${DESTINATIONS[kind] ?? ""}${MOVES[kind]}${leaseName(lease)}`;
  return rank === "" ? text : `${text}|${rank}`;
}

export function letterOf(state: string): Letter {
  // Only the scripts and `stateAfter` write states.
  return state[0] as Letter;
}

/** Whether the task is where this settlement of this lease left it, and was not claimed since. */
export function wasMovedBy(state: string, kind: Move["kind"], lease: Lease): boolean {
  return MOVES[kind] !== "" && state.slice(1).split(/[|~]/, 1)[0] === `${MOVES[kind]}${leaseName(lease)}`;
}

/** Whether the task was lost from this lease and waits to be claimed again. */
export function wasLostFrom(state: string, lease: Lease): boolean {
  return state[0] === "r" && wasMovedBy(state, "lose", lease);
}

/** The place among the priorities: "" for priority 0, which has the plain line. Lower goes first. */
export function rankOf(priority: number): string {
  return priority === 0 ? "" : String(-priority);
}

function leaseName({ broker, sequence }: Lease): string {
  return `${broker}:${sequence}`;
}
