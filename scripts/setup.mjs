/**
 * Makes a clean clone ready: checks Node, installs what the lockfile names, builds what changed. Every npm command that runs
 * something starts with it, so it costs a few milliseconds when there is nothing to do. Plain JavaScript, since nothing is
 * installed yet. All it says goes to standard error: standard output belongs to the program that follows.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const OLDEST_NODE = 20;
const PACKAGES = ["proto", "client", "worker-sdk", "server"];
/** A lock is touched every second. One that was not touched for this long was left behind by a process that was killed. */
const LOCK_STALE_MS = 10_000;

const root = join(import.meta.dirname ?? ".", "..");
const cache = join(root, ".cache");
const dashboard = join(root, "server/dashboard");
const isQuiet = process.argv.includes("--quiet");

const [major = 0] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE) {
  fail(
    `Taskwire needs Node.js ${OLDEST_NODE} or newer, and this is ${process.version}. Version 24 is recommended: https://nodejs.org`,
  );
}
if (!isInstalled() || !isBuilt()) {
  mkdirSync(cache, { recursive: true });
  await withLock(join(cache, "setup.lock"), async () => {
    // Asked again: another process may have done it while this one waited.
    if (!isInstalled()) await install();
    if (!isBuilt()) await build();
  });
}

/** Whether node_modules was made from the lockfile as it is now. */
function isInstalled() {
  const installed = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installed) || !existsSync(join(root, "node_modules/typescript"))) return false;
  const mark = read(join(root, "node_modules/.taskwire-setup"));
  if (mark !== undefined) return mark === installMark();
  // Installed by hand.
  return statSync(installed).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs;
}

function installMark() {
  return `${process.platform} ${process.arch} ${hash(readFileSync(join(root, "package-lock.json")))}`;
}

async function install() {
  say("installing packages ...");
  // Under npm, the same npm; it may not be the one on the path.
  const npm = process.env.npm_execpath ?? "";
  const [command, ...first] = /npm-cli\.c?js$/.test(npm) ? [process.execPath, npm] : ["npm"];
  const options = ["--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  await run("npm ci", command, [...first, "ci", ...options]);
  writeFileSync(join(root, "node_modules/.taskwire-setup"), installMark());
}

function isBuilt() {
  return isCompiled() && isDashboardBuilt();
}

async function build() {
  say("building ...");
  if (!isCompiled()) await compile();
  if (!isDashboardBuilt()) await buildDashboard();
}

function isCompiled() {
  return read(join(cache, "built")) === buildMark() && PACKAGES.every((name) => existsSync(join(root, name, "dist")));
}

/** Changes when a source file is changed, added or removed, or the compiler is another. */
function buildMark() {
  const files = [
    ...PACKAGES.flatMap((name) => filesIn(join(root, name, name === "proto" ? "gen" : "src"))),
    ...PACKAGES.flatMap((name) => [join(root, name, "tsconfig.json"), join(root, name, "package.json")]),
    join(root, "tsconfig.base.json"),
    join(root, "package-lock.json"),
  ];
  return markOf(files);
}

function markOf(files) {
  const lines = files.sort().map((file) => {
    const { mtimeMs, size } = statSync(file);
    return `${relative(root, file)} ${mtimeMs} ${size}`;
  });
  return hash(lines.join("\n"));
}

async function compile() {
  const mark = buildMark();
  for (const name of PACKAGES) {
    // The compiler trusts this file, and would not notice that what it describes was deleted.
    if (!existsSync(join(root, name, "dist"))) rmSync(join(root, name, "tsconfig.tsbuildinfo"), { force: true });
  }
  await run("tsc --build", process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "--build", ...PACKAGES]);
  for (const name of PACKAGES) copyAssets(join(root, name, "src"), join(root, name, "dist"));
  writeFileSync(join(cache, "built"), mark);
}

function isDashboardBuilt() {
  return (
    read(join(cache, "dashboard")) === dashboardMark() && existsSync(join(root, "server/dist/dashboard/index.html"))
  );
}

function dashboardMark() {
  return markOf([...filesIn(dashboard), join(root, "package-lock.json")]);
}

async function buildDashboard() {
  const mark = dashboardMark();
  const vite = join(root, "node_modules/vite/bin/vite.js");
  await run("vite build", process.execPath, [vite, "build", dashboard, "--config", join(dashboard, "vite.config.ts")]);
  writeFileSync(join(cache, "dashboard"), mark);
}

/** What the compiler leaves out, such as Lua scripts and pages, is found beside the compiled files as beside the sources. */
function copyAssets(from, to) {
  for (const file of filesIn(from)) {
    if (!/\.(ts|md)$/.test(file)) cpSync(file, join(to, relative(from, file)));
  }
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** Holds the lock while `work` runs: two builds, or a build and an install, would spoil each other. */
async function withLock(lock, work) {
  for (let waited = false; !take(lock); waited = true) {
    if (!waited) say("waiting for another set-up to end ...");
    await sleep(100);
  }
  const touching = setInterval(() => utimesSync(lock, new Date(), new Date()), 1_000);
  process.once("exit", () => rmSync(lock, { force: true }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
  await work();
  clearInterval(touching);
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    const touched = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - touched > LOCK_STALE_MS) rmSync(lock, { force: true });
    return false;
  }
}

/** Runs a command; shows its output only when it fails. */
function run(name, command, args) {
  return new Promise((resolve) => {
    const output = [];
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.on("error", (error) => fail(`${name} could not be started: ${error.message}`));
    child.on("close", (code, signal) => {
      if (code === 0) return resolve();
      process.stderr.write(Buffer.concat(output));
      fail(`${name} failed (${signal ?? `exit code ${code}`}); its output is above`);
    });
  });
}

function read(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function hash(content) {
  return createHash("sha256").update(content).digest("hex");
}

function say(line) {
  if (!isQuiet) process.stderr.write(`setup: ${line}\n`);
}

function fail(sentence) {
  process.stderr.write(`setup: ${sentence}\n`);
  process.exit(1);
}
