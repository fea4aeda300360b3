import { describe, expect, test } from "vitest";
import { groupOfFailure, normaliseMessage } from "./failure-group.ts";

describe("the group of a failure", () => {
  test.for([
    ["connect ECONNREFUSED 10.0.0.12:5432", "connect ECONNREFUSED …"],
    ["user 4711 not found", "user … not found"],
    ["no such file: '/tmp/a b.txt'", "no such file: …"],
    ["cannot mail ann.lee+x@example.org now", "cannot mail … now"],
    ["order 7d44b2a0-9e5f-4a53-8d52-0a6b8f6f9b11 is gone", "order … is gone"],
    ["commit 9fceb02d0ae598e95dc970b74767f19372d61af8 is gone", "commit … is gone"],
    ["missing 'to' field in email task", "missing … field in email task"],
    ["it doesn't know 'x' or 'y'", "it doesn't know … or …"],
    ["SMTP server temporarily unavailable", "SMTP server temporarily unavailable"],
    ["timed out after 1.5s", "timed out after …s"],
    ["first line\nsecond line", "first line"],
  ])("%s is the same as %s", ([message = "", normalised]) => {
    expect(normaliseMessage(message)).toBe(normalised);
  });

  test("is that of every failure which differs in numbers only", () => {
    const one = groupOfFailure({ type: "Error", message: "row 17 is locked by 12" });
    const other = groupOfFailure({ type: "Error", message: "row 99 is locked by 3" });

    expect(one).toEqual(other);
    expect(one.id).toMatch(/^[0-9A-Z]{8}$/);
  });

  test("is another one when the class of the error is another", () => {
    const { id } = groupOfFailure({ type: "Error", message: "gone" });

    expect(groupOfFailure({ type: "TypeError", message: "gone" }).id).not.toBe(id);
  });

  test("of a very long message is found at once", () => {
    expect(normaliseMessage("word ".repeat(1_000)).length).toBe(200);
  });
});
