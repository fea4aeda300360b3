import { expect, test } from "vitest";
import { parseBlockKey } from "../../domain/ids.ts";
import { Stamps } from "./stamps.ts";

test("stamps rise, within a millisecond and when the clock goes back", () => {
  const stamps = new Stamps();

  const made = [1_000, 1_000, 1_001, 900, 900, 1_002].map((nowMs) => stamps.next(nowMs));

  expect(made).toEqual([...made].sort());
  expect(new Set(made).size).toBe(made.length);
  expect(parseBlockKey(`${made[4]}000000`)).toMatchObject({ timeMs: 1_001, sequence: 2 });
});

test("stamps go on after the last one on disk", () => {
  const earlier = new Stamps();
  const onDisk = [5_000, 5_000, 5_000].map((nowMs) => earlier.next(nowMs)).at(-1) ?? "";
  const stamps = new Stamps();

  stamps.goOnAfter(onDisk);
  stamps.goOnAfter(earlier.next(4_000).slice(0, 10).padEnd(14, "0"));

  expect(stamps.next(4_000) > onDisk).toBe(true);
});

test("a millisecond that is used up borrows from the next", () => {
  const stamps = new Stamps();
  let last = stamps.next(1);
  for (let i = 0; i < 32 ** 4; i++) {
    const next = stamps.next(1);
    if (next <= last) expect.fail(`${next} after ${last}`);
    last = next;
  }

  expect(parseBlockKey(`${last}000000`)).toMatchObject({ timeMs: 2, sequence: 0 });
});
