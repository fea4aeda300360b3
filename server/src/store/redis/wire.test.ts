import { expect, test } from "vitest";
import { encode } from "./wire.ts";

test("arguments of every form and length are framed as the protocol says", () => {
  const long = "x".repeat(1_000);
  const bytes = Buffer.from([0, 13, 10, 255]);

  const wire = encode(["eval", 12], ["", long, bytes, Buffer.alloc(0), -5, 1_790_000_000_000]);

  const expected = [
    "*8",
    "$4",
    "eval",
    "$2",
    "12",
    "$0",
    "",
    "$1000",
    long,
    "$4",
    "\0\r\n\xff",
    "$0",
    "",
    "$2",
    "-5",
    "$13",
    "1790000000000",
    "",
  ];
  expect(wire.toString("latin1")).toBe(expected.join("\r\n"));
});
