/** What Linux knows about a process. Elsewhere the answer is undefined, and the table shows a dash. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** The unit of /proc/<pid>/stat, USER_HZ: 100 a second on every Linux that Node runs on. */
const MICROS_PER_TICK = 10_000;
const BYTES_PER_BLOCK = 512;

/** Microseconds of CPU that a process has used, in user and system mode. */
export async function cpuMicrosOf(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  // The name of the program, in parentheses, may hold spaces; utime and stime are the 12th and 13th fields after it.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK;
}

/** Bytes of memory of its own, without mapped files. */
export async function anonymousBytesOf(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(text)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** What the files of a folder take on the disk. */
export async function diskBytesOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (file) => file.blocks * BYTES_PER_BLOCK,
        // Deleted since it was listed.
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
