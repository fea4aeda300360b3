import fc from "fast-check";
import { expect, test } from "vitest";
import { bodyAt, eachBody, joinBodies } from "./bodies.ts";

// Some longer than 127 bytes, whose length takes two.
const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 128, size: "max" });

test("joined bodies come apart as they were, in order", () => {
  fc.assert(
    fc.property(bodies, (given) => {
      const joined = joinBodies(given);
      const read: Uint8Array[] = [];

      eachBody(joined, (start, end) => read.push(Uint8Array.from(joined.subarray(start, end))));

      expect(read).toEqual(given);
    }),
  );
});

test("any one body is found by its place", () => {
  fc.assert(
    fc.property(bodies, (given) => {
      const joined = joinBodies(given);

      for (const [i, body] of given.entries()) expect(Uint8Array.from(bodyAt(joined, i))).toEqual(body);
    }),
  );
});

test("joined rows in a row are a row", () => {
  fc.assert(
    fc.property(bodies, bodies, (first, second) => {
      expect(Buffer.concat([joinBodies(first), joinBodies(second)])).toEqual(joinBodies([...first, ...second]));
    }),
  );
});
