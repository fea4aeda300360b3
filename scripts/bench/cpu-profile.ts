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

/** A function, or several, and its share of all time in which the process was not idle. */
export interface Share {
  readonly name: string;
  readonly percent: number;
}

/** The time of their own, callees not counted, that functions had. */
export interface Shares {
  readonly byFunction: readonly Share[];
  readonly byArea: readonly Share[];
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Where functions belong, by how their names and files are called; the first that fits counts. */
const AREAS: readonly (readonly [area: string, pattern: RegExp])[] = [
  ["system calls and native code", /^\(program\)/],
  ["garbage collection", /^\(garbage collector\)/],
  ["loading the program", /node:internal\/(modules|deps|process\/esm)|compileFunction|readFileUtf8/],
  ["HTTP/2 and sockets (Node)", /node:(internal\/)?(http2|net|stream|streams|js_stream|events|stream_base_commons)/],
  ["gRPC (grpc-js)", /@grpc\/grpc-js/],
  ["driver of the store (ioredis, lmdb)", /ioredis|redis-parser|lmdb|msgpackr/],
  [
    "Taskwire: frames and codecs",
    /server\/dist\/(api|grpc)|proto\/dist|worker-sdk\/dist\/(delivery|cursor|settle-frame)|@bufbuild/,
  ],
  ["Taskwire: delivery", /server\/dist\/delivery/],
  ["Taskwire: store", /server\/dist\/(store|domain|lib)/],
  ["Taskwire: worker SDK", /worker-sdk\/dist/],
  ["bytes and strings (Node)", /buffer|Buffer|Slice|Write|string_decoder|copy|zlib/],
];
const REST = "promises, timers, all else";

export async function sharesIn(folder: string): Promise<Shares> {
  const profile = await mainProfile(folder);
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const byFunction = new Map<string, number>();
  const byArea = new Map<string, number>();
  for (const [i, id] of profile.samples.entries()) {
    const name = names.get(id) ?? "(unknown)";
    if (name === "(idle)") continue;
    const micros = profile.timeDeltas[i] ?? 0;
    addTo(byFunction, name, micros);
    addTo(byArea, AREAS.find(([, pattern]) => pattern.test(name))?.[0] ?? REST, micros);
  }
  return { byFunction: inPercent(byFunction), byArea: inPercent(byArea) };
}

function addTo(sums: Map<string, number>, name: string, micros: number): void {
  sums.set(name, (sums.get(name) ?? 0) + micros);
}

/** Largest first. */
function inPercent(sums: ReadonlyMap<string, number>): Share[] {
  const total = [...sums.values()].reduce((sum, micros) => sum + micros, 0);
  return [...sums]
    .map(([name, micros]) => ({ name, percent: (100 * micros) / total }))
    .sort((a, b) => b.percent - a.percent);
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
