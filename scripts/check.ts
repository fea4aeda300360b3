/** Everything that can be checked without running the program: `npm run check`. The checks run side by side. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const root = join(import.meta.dirname, "..");
const PATH = `${join(root, "node_modules/.bin")}${delimiter}${process.env["PATH"]}`;

const MAX_LINES = 400;
const MAX_README_LINES = 150;

/** Ends with what is wrong; the empty text when nothing is. Throws `Skip` when it cannot be checked here. */
type Check = () => Promise<string> | string;

class Skip extends Error {}

const CHECKS: Readonly<Record<string, Check>> = {
  "format and lint": () => run("biome", "check", "--colors=off", "."),
  "promises and switches": () => run("eslint", "."),
  types: () => run("tsc", "--build"),
  imports: () =>
    run(
      "depcruise",
      "--config",
      ".dependency-cruiser.cjs",
      "proto",
      "client",
      "worker-sdk",
      "server",
      "test",
      "scripts",
    ),
  "contract style": () => run("buf", "lint"),
  "contract compatible with main": () => run("buf", "breaking", "--against", `.git#ref=${main()}`),
  "generated code is current": () => isCurrent("gen", ["proto/gen"]),
  "generated docs are current": () => isCurrent("docs", ["docs/reference", "docs/task-lifecycle.md"]),
  "file sizes": tooLong,
  lockfile: namesRegistry,
};

const outcomes = await Promise.all(Object.entries(CHECKS).map(report));
const failed = outcomes.filter((outcome) => outcome === "failed").length;
if (failed > 0) console.log(`${failed} of ${outcomes.length} checks failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function report([name, check]: [string, Check]): Promise<"passed" | "failed" | "skipped"> {
  const start = performance.now();
  try {
    const wrong = await check();
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    console.log(`${wrong ? "✗" : "✓"} ${name} (${seconds} s)${wrong ? `\n${wrong.trimEnd()}` : ""}`);
    return wrong ? "failed" : "passed";
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    console.log(`- ${name}: skipped, ${error.message}`);
    return "skipped";
  }
}

/** Runs a tool of node_modules; its output, when it fails. */
function run(tool: string, ...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const env = { ...process.env, PATH, NO_COLOR: "1" };
    execFile(tool, args, { cwd: root, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve(error ? `${stdout}${stderr}` || error.message : "");
    });
  });
}

/** What the contract must stay compatible with: main as it is on the server, or here. */
function main(): string {
  for (const ref of ["origin/main", "main"]) {
    try {
      // A contract that is not there yet breaks no one.
      execFileSync("git", ["cat-file", "-e", `${ref}:buf.yaml`], { cwd: root, stdio: "ignore" });
      return ref;
    } catch {
      // The next one, then.
    }
  }
  throw new Skip("there is no branch main to compare with");
}

/** Runs a generator into a folder of its own and compares what it made with what is committed. */
async function isCurrent(script: "gen" | "docs", paths: readonly string[]): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), `taskwire-${script}-`));
  try {
    const args = ["--conditions=source", "--import", "tsx", `scripts/${script}.ts`, "--out", scratch];
    const failure = await run(process.execPath, ...args);
    if (failure) return failure;
    const stale = paths.flatMap((path) => differences(path, scratch));
    return stale.map((path) => `${path} is not what \`npm run ${script}\` makes\n`).join("");
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The files at or below a path that differ between here and `other`, or that only one of them has. */
function differences(path: string, other: string): string[] {
  const files = new Set([root, other].flatMap((base) => filesAt(base, path)));
  return [...files].filter((file) => {
    const [here, there] = [root, other].map((base) => join(base, file));
    if (!here || !there || !existsSync(here) || !existsSync(there)) return true;
    return !readFileSync(here).equals(readFileSync(there));
  });
}

/** The files at or below a path, without what is installed, built or hidden. */
function filesAt(base: string, path: string): string[] {
  if (/\w\.\w+$/.test(path)) return [path];
  if (!existsSync(join(base, path))) return [];
  return readdirSync(join(base, path), { withFileTypes: true })
    .filter(({ name }) => name !== "node_modules" && name !== "dist" && !name.startsWith("."))
    .flatMap((entry) => {
      const below = path === "." ? entry.name : `${path}/${entry.name}`;
      return entry.isDirectory() ? filesAt(base, below) : [below];
    });
}

/** Biome looks at TypeScript; this also at Lua, protobuf, pages and the README. */
function tooLong(): string {
  return filesAt(root, ".")
    .filter(
      (file) => /\.(ts|mjs|cjs|lua|proto|css|html|js|sh)$|^README\.md$/.test(file) && !file.startsWith("proto/gen/"),
    )
    .map((file) => {
      const lines = readFileSync(join(root, file), "utf8").split("\n").length - 1;
      const most = file === "README.md" ? MAX_README_LINES : MAX_LINES;
      return lines > most ? `${file} has ${lines} lines; at most ${most} are allowed\n` : "";
    })
    .join("");
}

/** A lockfile that names a registry binds everyone to it. */
function namesRegistry(): string {
  const count = readFileSync(join(root, "package-lock.json"), "utf8").split('"resolved": "http').length - 1;
  return count > 0
    ? `package-lock.json names a registry ${count} times; .npmrc keeps it out: run npm install again`
    : "";
}
