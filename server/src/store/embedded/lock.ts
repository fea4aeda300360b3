/** Keeps a second process out of a folder: a file that names the process that has it. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { CannotStart } from "../../domain/cannot-start.ts";

/** Folders that this very process has open: its own id in the file is then no sign of a process before it. */
const ours = new Set<string>();

export class FolderLock {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws CannotStart naming the other process */
  acquire(): void {
    if (ours.has(this.#path)) throw new CannotStart(inUse(this.#path, process.pid));
    // Twice: the second time after a dead process's file was removed.
    if (!this.#create() && !this.#takeOver()) throw new CannotStart(inUse(this.#path, this.#holder()?.pid));
    ours.add(this.#path);
  }

  #create(): boolean {
    try {
      const file = openSync(this.#path, "wx");
      writeSync(file, `${process.pid} ${startOf(process.pid)}\n`);
      closeSync(file);
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
      throw error;
    }
  }

  #takeOver(): boolean {
    const holder = this.#holder();
    if (holder && isAlive(holder)) return false;
    rmSync(this.#path, { force: true });
    return this.#create();
  }

  #holder(): Holder | undefined {
    const [pid, start = ""] = readText(this.#path).trim().split(" ");
    return pid && Number(pid) > 0 ? { pid: Number(pid), start } : undefined;
  }

  release(): void {
    if (ours.delete(this.#path)) rmSync(this.#path, { force: true });
  }
}

interface Holder {
  readonly pid: number;
  /** When that process began, as far as the system tells: a number that is taken again is another process. */
  readonly start: string;
}

function isAlive({ pid, start }: Holder): boolean {
  if (pid === process.pid) return false;
  if (startOf(pid) !== start) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and belongs to someone else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** On Linux, boot and clock tick of the start of a process; nothing of a dead one, and elsewhere. */
function startOf(pid: number): string {
  const boot = readText("/proc/sys/kernel/random/boot_id").trim();
  // The name of the program, in brackets, may have blanks: count after it. Field 3 is the state, field 22 the start.
  const fields = readText(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  const [state, ticks] = [fields[0], fields[19]];
  // A zombie is dead; its parent has not noticed.
  return boot && ticks && state !== "Z" ? `${boot}:${ticks}` : "";
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function inUse(path: string, pid: number | undefined): string {
  return (
    `the store is in use by another broker, process ${pid ?? "unknown"}: stop it, or give this one a data folder of its ` +
    `own; if no such process runs, delete ${path}`
  );
}
