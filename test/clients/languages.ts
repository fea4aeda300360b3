/**
 * The languages that speak the protocol here, and how the driver of each is made ready. What is missing on this machine is
 * named; what can be installed without asking goes into .cache.
 */
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { FROM_SOURCE } from "../support/program.ts";

const ROOT = join(import.meta.dirname, "../..");
const CACHE = join(ROOT, ".cache/clients");
const BIN = join(ROOT, "node_modules/.bin");

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Language {
  readonly name: string;
  /** What this machine lacks; undefined when nothing. */
  readonly missing: string | undefined;
  /** Installs, generates and builds. Quick when there is nothing to do. */
  prepare(): Promise<void>;
  /** How to run its driver. */
  driver(args: readonly string[]): Command;
  /** How to run one of its examples, as its README does. */
  example(name: "hello" | "produce" | "watch", args: readonly string[]): Command;
}

const PYTHON = join(ROOT, "client/examples/python");
const VENV = join(CACHE, "python");
const PYTHON_BIN = join(VENV, "bin/python");
const PYTHON_EXAMPLES = { hello: "hello.py", produce: "producer.py", watch: "watch_stats.py" };

const python: Language = {
  name: "Python",
  missing: works("python3", "-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))")
    ? undefined
    : "python3 3.11 or newer with the module venv",
  prepare: async () => {
    const requirements = join(PYTHON, "requirements.txt");
    const version = execFileSync("python3", ["--version"], { encoding: "utf8" });
    await once(join(VENV, "taskwire-ready"), hash(version, readFileSync(requirements, "utf8")), async () => {
      rmSync(VENV, { recursive: true, force: true });
      await run("python3", ["-m", "venv", VENV]);
      await run(PYTHON_BIN, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
    });
    const [generate = ""] = /^python -m grpc_tools.*$/m.exec(readFileSync(join(PYTHON, "README.md"), "utf8")) ?? [];
    await run("sh", ["-c", generate], { cwd: PYTHON, env: withPath(join(VENV, "bin")) });
  },
  driver: (args) => ({
    command: PYTHON_BIN,
    args: [join(import.meta.dirname, "python/driver.py"), ...args],
    env: { PYTHONPATH: PYTHON, PYTHONDONTWRITEBYTECODE: "1" },
  }),
  example: (name, args) => ({
    command: PYTHON_BIN,
    args: [join(PYTHON, PYTHON_EXAMPLES[name]), ...args],
    env: { PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1" },
  }),
};

const GO = join(ROOT, "client/examples/go");
const GO_BIN = join(CACHE, "go");
const GO_EXAMPLES = { hello: "hello", produce: "produce", watch: "watch-stats" };

const go: Language = {
  name: "Go",
  missing: works("go", "version") ? tooOldGo() : "go",
  prepare: async () => {
    mkdirSync(GO_BIN, { recursive: true });
    const env = { ...withPath(BIN), GOTOOLCHAIN: "local" };
    await run("buf", ["generate"], { cwd: GO, env });
    // Beside each other they would share two cores, and compile the same packages twice.
    await run("go", ["build", "-o", GO_BIN, "./cmd/..."], { cwd: GO, env });
    await run("go", ["build", "-o", join(GO_BIN, "driver"), "."], { cwd: join(import.meta.dirname, "go"), env });
  },
  driver: (args) => ({ command: join(GO_BIN, "driver"), args, env: {} }),
  example: (name, args) => ({ command: join(GO_BIN, GO_EXAMPLES[name]), args, env: {} }),
};

const TS_EXAMPLES = {
  hello: "worker-sdk/examples/hello.ts",
  produce: "client/examples/hello.ts",
  watch: "client/examples/watch-stats.ts",
};

const typescript: Language = {
  name: "TypeScript",
  missing: undefined,
  prepare: async () => undefined,
  driver: (args) => node(join(import.meta.dirname, "typescript/driver.ts"), args),
  example: (name, args) => node(join(ROOT, TS_EXAMPLES[name]), args),
};

/** TypeScript comes last: it needs nothing, so that a missing toolchain is seen first. */
export const LANGUAGES: readonly Language[] = [python, go, typescript];

function node(file: string, args: readonly string[]): Command {
  return { command: process.execPath, args: [...FROM_SOURCE, file, ...args], env: {} };
}

/** The Go that the examples ask for, unless this one is at least as new. */
function tooOldGo(): string | undefined {
  const [, wanted = ""] = /^go (\S+)$/m.exec(readFileSync(join(GO, "go.mod"), "utf8")) ?? [];
  const [, found = ""] = /go(\d\S*)/.exec(execFileSync("go", ["env", "GOVERSION"], { encoding: "utf8" })) ?? [];
  const [major = 0, minor = 0] = found.split(".").map(Number.parseFloat);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number.parseFloat);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor) ? undefined : `go ${wanted} or newer`;
}

function works(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Does it unless the mark says that it was done for the same input. */
async function once(mark: string, input: string, work: () => Promise<void>): Promise<void> {
  if (existsSync(mark) && readFileSync(mark, "utf8") === input) return;
  await work();
  writeFileSync(mark, input);
}

async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<void> {
  const env = { ...process.env, ...options.env };
  await promisify(execFile)(command, args, { ...options, env, maxBuffer: 2 ** 24 });
}

function withPath(first: string): Record<string, string> {
  return { PATH: `${first}${delimiter}${process.env["PATH"]}` };
}

function hash(...parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\n")).digest("hex");
}
