import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BLOCK_KEY_LENGTH,
  base32,
  blockKey,
  callerKey,
  INDEX_TEXT,
  keyIndex,
  MAX_BLOCK_TASKS,
  NAME_PATTERN,
  newBrokerId,
  newNonce,
  newTaskKey,
  parseBase32,
  parseBlockKey,
  parseTaskId,
  queueTag,
  taskId,
} from "./ids.ts";

const nonce = fc.nat(2 ** 30 - 1).map((value) => base32(value, 6));
const blockName = fc.record({ timeMs: fc.nat(2 ** 48), sequence: fc.nat(2 ** 20 - 1), nonce });
const index = fc.nat(MAX_BLOCK_TASKS - 1);
const queue = fc.stringMatching(NAME_PATTERN);

describe("base 32", () => {
  test("what is written reads back", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(parseBase32(base32(value, 11))).toBe(value);
      }),
    );
  });

  test("text sorts as its numbers do", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        expect(base32(a, 11) < base32(b, 11)).toBe(a < b);
      }),
    );
  });

  test("letters outside of the alphabet are not a number", () => {
    for (const letter of ["I", "L", "O", "U", "a", "-"]) expect(parseBase32(`0${letter}`)).toBeNaN();
  });
});

describe("keys made by a store", () => {
  test("tell their block and their index", () => {
    fc.assert(
      fc.property(blockName, index, (name, i) => {
        const block = blockKey(name);
        const key = `${block}${INDEX_TEXT[i]}`;

        expect(block).toHaveLength(BLOCK_KEY_LENGTH);
        expect(parseBlockKey(block)).toEqual(name);
        expect(parseBlockKey(key)).toEqual(name);
        expect(keyIndex(key)).toBe(i);
      }),
    );
  });

  test("sort by time, then by sequence", () => {
    fc.assert(
      fc.property(blockName, blockName, (a, b) => {
        const isEarlier = a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.sequence < b.sequence);
        fc.pre(a.timeMs !== b.timeMs || a.sequence !== b.sequence);
        expect(blockKey(a) < blockKey(b)).toBe(isEarlier);
      }),
    );
  });

  test("are new each time, and those of a task alone have the time and the index 0", () => {
    const keys = Array.from({ length: 1_000 }, () => newTaskKey(1_700_000_000_000));

    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) {
      expect(parseBlockKey(key)?.timeMs).toBe(1_700_000_000_000);
      expect(keyIndex(key)).toBe(0);
    }
  });
});

describe("ids", () => {
  test("of a task made by a store have 31 letters that name its queue's tag and its key", () => {
    fc.assert(
      fc.property(queue, blockName, index, (name, block, i) => {
        const key = `${blockKey(block)}${INDEX_TEXT[i]}`;
        const id = taskId(name, key);

        expect(id).toHaveLength(31);
        expect(parseTaskId(id)).toEqual({ tag: queueTag(name), key });
      }),
    );
  });

  test("chosen by a caller come back as they were", () => {
    fc.assert(
      fc.property(queue, fc.stringMatching(NAME_PATTERN), (name, id) => {
        const key = callerKey(id);

        expect(taskId(name, key)).toBe(id);
        expect(parseBlockKey(key)).toBeUndefined();
      }),
    );
  });

  test("that no store makes are a caller's", () => {
    for (const id of ["", "order-17", "0".repeat(30), "0".repeat(32), `${"0".repeat(30)}U`, `${"0".repeat(30)}a`]) {
      expect(parseTaskId(id)).toBeUndefined();
    }
  });
});

test("a queue's tag stays the same when the cache of tags was emptied", () => {
  const before = queueTag("email");

  for (let i = 0; i < 10_001; i++) queueTag(`queue-${i}`);

  expect(queueTag("email")).toBe(before);
  expect(before).toHaveLength(9);
});

test("nonces and broker ids are new each time", () => {
  const nonces = Array.from({ length: 2_000 }, newNonce);
  const brokers = Array.from({ length: 1_000 }, newBrokerId);

  // 2,000 of 2^30 collide once in 500 runs; two collisions do not happen.
  expect(new Set(nonces).size).toBeGreaterThanOrEqual(1_998);
  expect(new Set(brokers).size).toBe(1_000);
  for (const one of nonces) expect(one).toMatch(/^[0-9A-HJKMNP-TV-Z]{6}$/);
  for (const one of brokers) expect(one).toMatch(/^[0-9A-HJKMNP-TV-Z]{14}$/);
});
