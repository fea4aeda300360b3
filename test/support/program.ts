/** Programs of this repository, as Node runs them, and what they write. */
import { type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type TestProcess, testProcess } from "./children.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Before the file name: packages are found as their sources, and nothing has to be built. */
export const FROM_SOURCE = ["--conditions=source", "--import", "tsx"];

export interface Program extends TestProcess {
  readonly pid: number;
  /** SIGINT, as Ctrl-C sends it. */
  interrupt(): void;
  /** What it wrote so far, standard output and error. */
  output(): string;
  /** Resolves with its exit code. */
  readonly ended: Promise<number | null>;
}

/** Runs Node with these arguments in the root of the repository. */
export function startProgram(args: readonly string[], { env }: Pick<SpawnOptions, "env"> = {}): Program {
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, "close").then(([code]: (number | null)[]) => code ?? null);
  const interrupt = () => void child.kill("SIGINT");
  return { ...testProcess(child), pid: child.pid ?? 0, interrupt, output: () => output, ended };
}
