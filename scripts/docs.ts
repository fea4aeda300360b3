/**
 * Makes docs/reference and the diagram of docs/task-lifecycle.md from what the program itself goes by: `npm run docs`.
 * With `--out <folder>` it writes there instead, for `npm run check` to compare.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { configReference } from "./reference/config.ts";
import { errorReference } from "./reference/errors.ts";
import { lifecycleDiagram } from "./reference/lifecycle.ts";
import { limitReference } from "./reference/limits.ts";
import { metricReference } from "./reference/metrics.ts";
import { rpcReference } from "./reference/rpc.ts";

const root = join(import.meta.dirname, "..");
const out = resolve(parseArgs({ options: { out: { type: "string", default: root } } }).values.out);

write("docs/reference/config.md", configReference());
write("docs/reference/errors.md", errorReference());
write("docs/reference/limits.md", limitReference(readFileSync(join(root, "server/src/domain/limits.ts"), "utf8")));
write("docs/reference/metrics.md", metricReference());
write("docs/reference/rpc.md", rpcReference());
write("docs/task-lifecycle.md", withDiagram(readFileSync(join(root, "docs/task-lifecycle.md"), "utf8")));

/** The text with what is between its two markers replaced. */
function withDiagram(text: string): string {
  const between = /(<!-- diagram: made by npm run docs -->\n).*(<!-- end of diagram -->)/s;
  if (!between.test(text)) throw new Error("docs/task-lifecycle.md has lost the markers around its diagram");
  return text.replace(between, (_, before: string, after: string) => before + lifecycleDiagram() + after);
}

function write(path: string, text: string): void {
  const file = join(out, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
