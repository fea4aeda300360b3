/** Child processes of tests and benchmarks, which must not outlive them. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** What a test can do to a process. */
export interface TestProcess {
  isRunning(): boolean;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
  /** SIGTERM, and does not wait. */
  beginToStop(): void;
  /** Freezes the process, and lets it go on. */
  pause(): void;
  resume(): void;
}

export function testProcess(child: ChildProcess): TestProcess {
  endWithParent(child);
  return {
    isRunning: () => isAlive(child),
    kill: () => leave(child, () => child.kill("SIGKILL")),
    terminate: async () => {
      await leave(child, () => child.kill("SIGTERM"));
      return child.exitCode;
    },
    beginToStop: () => void child.kill("SIGTERM"),
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
  };
}

const children = new Set<ChildProcess>();

process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** Kills the child when this process ends, for whatever reason. */
export function endWithParent(child: ChildProcess): void {
  children.add(child);
  child.once("exit", () => children.delete(child));
}

/** Does `begin`, which is to end the child, and resolves when the child has ended. */
export async function leave(child: ChildProcess, begin: () => void): Promise<void> {
  if (!isAlive(child)) return;
  const exited = once(child, "exit");
  begin();
  await exited;
}

export function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
