import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

const KNOWN = ["--data-dir", "--max-lost", "--max-queues"];

test.for([
  ["--data-dri", "--data-dir"],
  ["--maxlost", "--max-lost"],
  ["--MAX-QUEUE", "--max-queues"],
  ["--max-lost", "--max-lost"],
] as const)("%s is likely meant to be %s", ([name, meant]) => {
  expect(nearest(name, KNOWN)).toBe(meant);
});

test.for(["--nope", "", "--drain-everything"])("%j is like none", (name) => {
  expect(nearest(name, KNOWN)).toBeUndefined();
});
