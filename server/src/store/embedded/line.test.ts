import { expect, test } from "vitest";
import type { AloneTask } from "./alone-task.ts";
import { blockDiskName, parseBlockName } from "./block-name.ts";
import { ReadyLine } from "./line.ts";

const nameOf = (i: number, count = 128) => ({
  key: `block-${i}`.padEnd(20, "x"),
  count,
  hasOptions: i % 2 === 0,
  runAtMs: 0,
});

test("a line gives out blocks and tasks alone in the order in which they came, over many chunks", () => {
  const line = new ReadyLine();
  for (let i = 0; i < 2_000; i++) {
    if (i % 3 === 0) line.pushObject(alone(`=${i}`));
    else line.pushBlock(blockDiskName(nameOf(i)), i % 7, 128);
  }

  for (let i = 0; i < 2_000; i++) {
    const head = line.head();
    if (i % 3 === 0) expect(head).toMatchObject({ kind: "alone", task: { key: `=${i}` } });
    else expect(head).toEqual({ kind: "block", name: nameOf(i), first: i % 7, end: 128 });
    line.shift();
  }

  expect(line.head()).toBeUndefined();
});

test("a line that ran empty takes more, wherever in a chunk it did", () => {
  const line = new ReadyLine();
  for (const run of [1, 511, 512, 513, 3]) {
    for (let i = 0; i < run; i++) line.pushBlock(blockDiskName(nameOf(i)), 0, 1);
    for (let i = 0; i < run; i++) {
      expect(line.head()).toMatchObject({ kind: "block", name: nameOf(i) });
      line.shift();
    }
    expect(line.head()).toBeUndefined();
  }
});

test("a block at the head may be taken in parts", () => {
  const line = new ReadyLine();
  line.pushBlock(blockDiskName(nameOf(1)), 0, 128);

  const head = line.head();
  if (head?.kind === "block") head.first = 100;

  expect(line.head()).toMatchObject({ first: 100, end: 128 });
});

test.for([1, 13, 127, 128])("the name of a block of %i tasks is read as it was written", (count) => {
  for (const hasOptions of [true, false]) {
    for (const runAtMs of [0, 1, 1_800_000_000_123, 2 ** 48 - 1]) {
      const name = { key: "01M8837BFS0007B2XQ9Z", count, hasOptions, runAtMs };

      expect(parseBlockName(blockDiskName(name))).toEqual(name);
    }
  }
});

function alone(key: string): AloneTask {
  return {
    key,
    priority: 0,
    enqueuedAtMs: 0,
    hasOptions: false,
    state: "ready",
    attempt: 1,
    lostCount: 0,
    runAtMs: 0,
    place: 0,
    mark: 0,
    leasedAttempt: 0,
    wasLeasedAlone: true,
  };
}
