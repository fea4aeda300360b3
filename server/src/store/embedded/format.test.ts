import { expect, test } from "vitest";
import type { Write } from "./database.ts";
import { diskKey, seal, unseal } from "./disk.ts";
import { formatWrite, raiseFormat, readFormat } from "./format.ts";

const KEY = diskKey("f", 0, "");
const CURRENT = 2;

test("a file of the format before is read, and marked as of this one", async () => {
  const file = fileOf(1);

  expect(readFormat(file)).toBe(7);
  await raiseFormat(file);

  expect(file.format).toBe(CURRENT);
  expect(readFormat(file)).toBe(7);
});

test("a file of this format is left as it is", async () => {
  const file = fileOf(CURRENT);

  await raiseFormat(file);

  expect(file.commits).toBe(0);
});

test.for([0, CURRENT + 1])("a file of format %i is refused", (format) => {
  expect(() => readFormat(fileOf(format))).toThrow(`tasks.mdb has format ${format}`);
});

/** A file with seven queues. */
function fileOf(format: number) {
  const content = Buffer.from(unseal(KEY, formatWrite(7).value ?? Buffer.alloc(0)));
  content[0] = format;
  let value = seal(KEY, content);
  return {
    path: "tasks.mdb",
    commits: 0,
    get format() {
      return this.get(KEY)[0];
    },
    get: (key: Buffer) => unseal(key, value),
    async commit([write]: readonly Write[]) {
      this.commits++;
      if (write?.value) value = write.value;
    },
  };
}
