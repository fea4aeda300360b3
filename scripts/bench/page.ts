/** docs/benchmarks.md, whose tables are written by the benchmark itself. */
import { readFile, writeFile } from "node:fs/promises";

const PAGE = new URL("../../docs/benchmarks.md", import.meta.url);
const START = "<!-- bench:start -->";
const END = "<!-- bench:end -->";

/** Replaces what stands between the markers. */
export async function writeToPage(markdown: string): Promise<void> {
  const page = await readFile(PAGE, "utf8");
  const start = page.indexOf(START);
  const end = page.indexOf(END);
  if (start < 0 || end < start) throw new Error(`docs/benchmarks.md must have a line ${START} and after it ${END}`);
  await writeFile(PAGE, `${page.slice(0, start + START.length)}\n\n${markdown}\n\n${page.slice(end)}`);
}
