/** Child processes that must not outlive this one. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

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
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  begin();
  await exited;
}
