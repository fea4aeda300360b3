import { expect, test } from "vitest";
import { type AloneTask, newAloneTask } from "./alone-task.ts";
import { blockDiskName, parseBlockName } from "./block-name.ts";
import { type LineHead, ReadyLine } from "./line.ts";

const stampOf = (i: number) => `${i + 1}`.padStart(14, "0");
const nameOf = (i: number, count = 128) => ({
  key: stampOf(i).padEnd(20, "x"),
  count,
  hasOptions: i % 2 === 0,
  runAtMs: 0,
});

test("a line gives out blocks and tasks alone in the order in which they came, over many chunks", () => {
  const line = new ReadyLine();
  for (let i = 0; i < 2_000; i++) {
    if (i % 3 === 0) line.pushObject(alone(`=${i}`), { stamp: stampOf(i - 1), after: 1 });
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

test("a line is read from any place, in both directions, also when a part of it was taken out", () => {
  const line = new ReadyLine();
  const expected: string[] = [];
  const keyOf = (head: LineHead) =>
    head.kind === "alone" ? head.task.key : head.kind === "run" ? head.block.key : head.name.key;
  for (let i = 0; i < 1_500; i++) {
    // Now and then several that were promoted come behind one block.
    if (i % 5 === 0) line.pushBlock(blockDiskName(nameOf(i)), 0, 128);
    else line.pushObject(alone(`=${i}`), { stamp: stampOf(i - (i % 5)), after: i % 5 });
    expected.push(i % 5 === 0 ? nameOf(i).key : `=${i}`);
  }

  for (const shifted of [0, 3, 600, 512]) {
    for (let i = 0; i < shifted; i++) {
      line.head();
      line.shift();
    }
    expected.splice(0, shifted);
    expect([...line.up()].map(keyOf)).toEqual(expected);
    const all = [...line.down(undefined)];
    expect(all.map(({ head }) => keyOf(head))).toEqual(expected.toReversed());
    for (let at = 0; at < all.length; at += 41) {
      const rest = [...line.down(all[at])];
      expect(rest).toEqual(all.slice(at));
    }
  }
  expect([...line.down({ stamp: stampOf(0), after: 0 })]).toEqual([]);
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
  const common = { priority: 0, enqueuedAtMs: 0, hasOptions: false, attempt: 1, lostCount: 0, runAtMs: 0 };
  return newAloneTask({ ...common, key, state: "ready", stamp: "" });
}
