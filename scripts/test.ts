/**
 * Runs all that can be tested: `npm test`. First the checks, then every Vitest project; the last line is the count. Arguments
 * are Vitest's, and then only the tests that they name run, without the checks: `npm test -- test/store -t claim`.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseCLI, startVitest, type TestModule, type TestSuite, type Vitest } from "vitest/node";
import { ensureChromium } from "./chromium.ts";
import { ensurePrometheus } from "./prometheus.ts";
import { ensureRedisServer } from "./redis-server.ts";

const root = join(import.meta.dirname, "..");
const isCi = Boolean(process.env["CI"]) && process.env["CI"] !== "false";

interface Tally {
  passed: number;
  failed: number;
  readonly skipped: string[];
}

const tally: Tally = { passed: 0, failed: 0, skipped: [] };
const args = process.argv.slice(2);
try {
  const found = [
    `redis-server ${ensureRedisServer()}`,
    `Prometheus ${ensurePrometheus()}`,
    ensureChromium() ?? "no Chromium",
  ];
  console.log(`${found.join(", ")}, Node.js ${process.version}`);
  if (args.length === 0) check(tally);
  await test(args, tally);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  tally.failed++;
}
conclude(tally);

/** The checks count as one test. */
function check(tally: Tally): void {
  const { status } = spawnSync(process.execPath, ["--import", "tsx", "scripts/check.ts"], {
    cwd: root,
    stdio: "inherit",
  });
  if (status === 0) tally.passed++;
  else tally.failed++;
}

async function test(args: readonly string[], tally: Tally): Promise<void> {
  const { filter, options } = parseCLI(["vitest", "run", ...args]);
  const vitest = await startVitest("test", filter, { ...options, root, watch: false });
  count(vitest, tally);
  // With -t, what does not match the name was not asked for.
  if (options.testNamePattern !== undefined) tally.skipped.length = 0;
  await vitest.close();
}

function count(vitest: Vitest, tally: Tally): void {
  const modules = vitest.state.getTestModules();
  for (const module of modules) countModule(module, tally);
  // An error outside of any test: no one can say which of them it spoils.
  tally.failed += vitest.state.getUnhandledErrors().length;
  if (modules.length === 0) tally.failed++;
}

function countModule(module: TestModule, tally: Tally): void {
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === "passed") tally.passed++;
    else if (state === "failed") tally.failed++;
    else tally.skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
  }
  // A file that does not load and a hook that fails have no test that failed.
  tally.failed += failures(module) + [...module.children.allSuites()].filter((suite) => failures(suite) > 0).length;
}

function failures(part: TestModule | TestSuite): number {
  return part.errors().length;
}

/** Names what was skipped, counts, and sets the exit code. Where no one reads along, a skip is a failure. */
function conclude({ passed, failed, skipped }: Tally): void {
  if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.map((name) => `  ${name}\n`).join("")}`);
  const failures = isCi ? failed + skipped.length : failed;
  if (failures > failed) console.log("With CI set, a skipped test is a failed one.");
  const skips = skipped.length > failures - failed ? `, ${skipped.length} skipped` : "";
  console.log(`${passed} passed, ${failures} failed${skips}`);
  process.exit(failures > 0 ? 1 : 0);
}
