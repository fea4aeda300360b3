import fc from "fast-check";
import { expect, test } from "vitest";
import {
  blockKey,
  callerKey,
  INDEX_TEXT,
  MAX_BLOCK_TASKS,
  NAME_PATTERN,
  newBrokerId,
  newTaskKey,
  queueTag,
} from "./ids.ts";
import { type Lease, leasedKey, leaseToken, parseLeaseToken, tokenPrefix } from "./lease.ts";

const common = {
  queue: fc.stringMatching(NAME_PATTERN),
  broker: fc.constant(undefined).map(newBrokerId),
  sequence: fc.maxSafeNat(),
  attempt: fc.integer({ min: 1, max: 999_999_999 }),
};
const block = fc.nat(2 ** 48).map((timeMs) => blockKey({ timeMs, sequence: 7, nonce: "0ABCDE" }));
const aloneKey = fc.oneof(fc.nat(2 ** 48).map(newTaskKey), fc.stringMatching(NAME_PATTERN).map(callerKey));
const inBlock = fc.record({ ...common, block, alone: fc.constant(false) });
const alone = fc.record({ ...common, block: aloneKey, alone: fc.constant(true) });
const index = fc.nat(MAX_BLOCK_TASKS - 1);

function parsed({ queue, ...lease }: Lease, i: number) {
  return { tag: queueTag(queue), lease, index: i };
}

test("the token of a task in a block tells the lease and the index", () => {
  fc.assert(
    fc.property(inBlock, index, (lease, i) => {
      expect(parseLeaseToken(leaseToken(lease, i))).toEqual(parsed(lease, i));
    }),
  );
});

test("the token of a task alone tells the lease, whoever chose its key", () => {
  fc.assert(
    fc.property(alone, (lease) => {
      expect(parseLeaseToken(leaseToken(lease, 0))).toEqual(parsed(lease, 0));
    }),
  );
});

test("a token is the prefix of its lease and, in a block, the index", () => {
  fc.assert(
    fc.property(fc.oneof(inBlock, alone), index, (lease, i) => {
      expect(leaseToken(lease, i)).toBe(tokenPrefix(lease) + (lease.alone ? "" : INDEX_TEXT[i]));
    }),
  );
});

test("a lease names the keys of its tasks", () => {
  const lease = { queue: "email", broker: newBrokerId(), sequence: 1, attempt: 1 };

  expect(leasedKey({ ...lease, block: "B".repeat(20), alone: false }, 33)).toBe(`${"B".repeat(20)}11`);
  expect(leasedKey({ ...lease, block: "=order-17", alone: true }, 0)).toBe("=order-17");
});

test("what cannot have come from a broker is refused", () => {
  const good = leaseToken(
    { queue: "email", broker: newBrokerId(), sequence: 1, attempt: 1, block: "B".repeat(20), alone: false },
    0,
  );
  expect(parseLeaseToken(good)).toBeDefined();

  expect(parseLeaseToken("")).toBeUndefined();
  expect(parseLeaseToken(` ${good}`)).toBeUndefined();
  expect(parseLeaseToken(good.replace(".b.", ".c."))).toBeUndefined();
  expect(parseLeaseToken(good.replace(".1.1.", ".1.one."))).toBeUndefined();
  // An index past the end of any block, and one with a letter that is in no index.
  expect(parseLeaseToken(good.replace(/00$/, "40"))).toBeUndefined();
  expect(parseLeaseToken(good.replace(/00$/, "0U"))).toBeUndefined();
});

test("no text makes the parser throw", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseLeaseToken(text)));
});
