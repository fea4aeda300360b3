/** Each row of docs/features.md leads to a page that explains it and to a test of that name. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT, read } from "../support/shell.ts";

const ROW =
  /^\| \[(?<what>[^\]]+)\]\((?<page>[^)#]+)#?(?<heading>[^)]*)\) \| (?<sentence>.+)\. \| \[(?<title>[^\]]+)\]\((?<file>[^)]+)\) \|$/;
const HEADS = ["| what | in a sentence | shown by |", "| --- | --- | --- |"];

const rows = read("docs/features.md")
  .split("\n")
  .filter((line) => line.startsWith("|") && !HEADS.includes(line));

test("the table is there", () => {
  expect(rows.length).toBeGreaterThan(40);
});

describe.for(rows.map((row): [what: string, row: string] => [row.split("]")[0]?.slice(3) ?? row, row]))(
  "%s",
  ([, row]) => {
    const { page = "", heading = "", title = "", file = "" } = ROW.exec(row)?.groups ?? {};

    test("is explained on its page", () => {
      const path = join("docs", page);
      expect(existsSync(join(ROOT, path)), `${row} names no page`).toBe(true);
      if (heading !== "") expect(headingsOf(path)).toContain(heading);
    });

    test("is shown by its test", () => {
      const source = read(join("docs", file));
      const quoted = [`"${title}"`, `\`${title}\``];
      expect(
        quoted.some((name) => source.includes(name)),
        `${file} has no test ${title}`,
      ).toBe(true);
    });
  },
);

/** As GitHub makes names of them. */
function headingsOf(page: string): string[] {
  const headings = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, text = ""]) => text);
  return headings.map((text) =>
    text
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
