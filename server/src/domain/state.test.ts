import { expect, test } from "vitest";
import { hasEnded, type TaskState, TRANSITIONS } from "./state.ts";

// The keys of the table are what TaskState is made of.
const states = Object.keys(TRANSITIONS) as TaskState[];

test("a state has ended when nothing but a revival leaves it", () => {
  for (const state of states) {
    expect(hasEnded(state), state).toBe(Object.keys(TRANSITIONS[state]).every((move) => move === "revive"));
  }
});

test("every move leads to a state of the table", () => {
  for (const moves of Object.values(TRANSITIONS)) {
    for (const target of Object.values(moves)) expect(states).toContain(target);
  }
});

test("an end can be reached from every state", () => {
  for (const start of states) {
    const reached = new Set<string>([start]);
    for (const state of reached) {
      for (const target of Object.values(TRANSITIONS[state as TaskState])) reached.add(target);
    }
    expect(
      [...reached].some((state) => hasEnded(state as TaskState)),
      start,
    ).toBe(true);
  }
});
