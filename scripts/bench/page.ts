/** docs/benchmarks.md, whose figures are written by the benchmark itself. */
import { readFile, writeFile } from "node:fs/promises";

const PAGE = new URL("../../docs/benchmarks.md", import.meta.url);

/** Replaces what stands between the markers of a section. */
export async function writeToPage(section: "bench" | "profile", markdown: string): Promise<void> {
  const [startMarker, endMarker] = [`<!-- ${section}:start -->`, `<!-- ${section}:end -->`];
  const page = await readFile(PAGE, "utf8");
  const start = page.indexOf(startMarker);
  const end = page.indexOf(endMarker);
  if (start < 0 || end < start)
    throw new Error(`docs/benchmarks.md must have a line ${startMarker} and after it ${endMarker}`);
  await writeFile(PAGE, `${page.slice(0, start + startMarker.length)}\n\n${markdown}\n\n${page.slice(end)}`);
}
