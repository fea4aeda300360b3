/** Where a process spent its time, from the files that `node --cpu-prof` writes. */
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The part of a .cpuprofile file that is read here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  readonly name: string;
  /** Of all time in which the process was not idle. */
  readonly percent: number;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The functions with the most time of their own, callees not counted. */
export async function topSelfTimes(folder: string, count: number): Promise<SelfTime[]> {
  const profile = await mainProfile(folder);
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const micros = new Map<string, number>();
  for (const [i, id] of profile.samples.entries()) {
    const name = names.get(id) ?? "(unknown)";
    if (name === "(idle)") continue;
    micros.set(name, (micros.get(name) ?? 0) + (profile.timeDeltas[i] ?? 0));
  }
  const total = [...micros.values()].reduce((sum, time) => sum + time, 0);
  return [...micros]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, time]) => ({ name, percent: (100 * time) / total }));
}

/** Each thread writes a file; that of the main thread has the most samples. */
async function mainProfile(folder: string): Promise<CpuProfile> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".cpuprofile"));
  const profiles = await Promise.all(
    // Node has written it.
    files.map(async (name) => JSON.parse(await readFile(join(folder, name), "utf8")) as CpuProfile),
  );
  const [main] = profiles.sort((a, b) => b.nodes.length - a.nodes.length);
  if (!main) throw new Error(`there is no profile in ${folder}`);
  return main;
}

function nameOf({ functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"]): string {
  const name = functionName || "(anonymous)";
  if (url === "") return name;
  const file = url.startsWith("file:") ? relative(ROOT, fileURLToPath(url)) : url;
  return `${name} ${file.replace(/^.*node_modules\//, "")}:${lineNumber + 1}`;
}
