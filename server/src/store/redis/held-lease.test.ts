import { describe, expect, test } from "vitest";
import { BlockLease, blockKeyOf, resultIndex, streamId } from "./held-lease.ts";

const WHOLE = "b 1790000000000-7 ABCDEF 0 128 128 -w";

describe("the lease of a block", () => {
  test("is the same text when nothing happened", () => {
    expect(new BlockLease(WHOLE).text()).toBe(WHOLE);
    expect(new BlockLease(WHOLE)).toMatchObject({ left: 128, isWhole: true, hasOptions: false });
  });

  test("keeps what is outstanding in its text, in whatever order tasks go", () => {
    const gone = [127, 0, 31, 32, 64, 33];
    let lease = new BlockLease(WHOLE);

    for (const index of gone) {
      lease.remove(index);
      lease = new BlockLease(lease.text());
    }

    const rest = Array.from({ length: 128 }, (_, i) => i).filter((i) => !gone.includes(i));
    expect(lease.outstanding()).toEqual(rest);
    expect(lease.left).toBe(rest.length);
    for (const index of gone) expect(lease.has(index)).toBe(false);
  });

  test("is deleted with its last task", () => {
    const lease = new BlockLease("b 1790000000000-7 ABCDEF 5 2 128 o-");

    lease.remove(6);
    expect(lease.text()).toMatch(/^b 1790000000000-7 ABCDEF 5 2 128 o- 0{7}10{24}$/);
    lease.remove(5);

    expect(lease.text()).toBe("");
  });

  test("has nothing outside of its range", () => {
    const lease = new BlockLease("b 1790000000000-7 ABCDEF 5 2 128 o-");

    expect([4, 5, 6, 7].map((index) => lease.has(index))).toEqual([false, true, true, false]);
    expect(lease.hasOptions).toBe(true);
  });

  test("names the block whose stream id it has", () => {
    const { block } = new BlockLease(WHOLE);

    expect(block).toBe(blockKeyOf("1790000000000-7", "ABCDEF"));
    expect(streamId(`${block}05`)).toBe("1790000000000-7");
    expect(resultIndex(`${block}05`)).toBe(5);
    expect(resultIndex("=order-1")).toBe(0);
    expect(streamId("=order-1")).toBeUndefined();
  });
});
