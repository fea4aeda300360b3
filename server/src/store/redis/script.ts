/**
 * Lua scripts. A script's header names its KEYS and ARGV; its body uses them by these names, and the loader turns names
 * into places. So no number is counted by hand, and a name that the header lacks is found when the broker starts.
 *
 *     KEYS  ready leases            KEYS.ready  becomes  KEYS[1]
 *     ARGV  now list...             ARGV.now    becomes  ARGV[1];  ARGV.list  becomes  2, where the list begins
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** The scripts stand in the package's sources, beside this file or, seen from `dist`, beside what it was made from. */
const FOLDER = new URL("../../../src/store/redis/scripts/", import.meta.url);

export type Argument = string | number | Buffer;

export interface Script {
  readonly name: string;
  readonly text: string;
  readonly sha: string;
  readonly keys: readonly string[];
}

/** @throws when the body uses a name that the header does not declare */
export function loadScript(name: string): Script {
  const source = readFileSync(new URL(`${name}.lua`, FOLDER), "utf8");
  const keys = declared(source, "KEYS", name);
  const args = declared(source, "ARGV", name);
  const header = source.indexOf("]]") + 2;
  const body = include(source.slice(header), new Set());
  const shebang = source.startsWith("#!") ? `${source.slice(0, source.indexOf("\n"))}\n` : "";
  const placed = body.replace(/\b(KEYS|ARGV)\.(\w+)/g, (_, table: string, used: string) => place({ table, used, name, names: table === "KEYS" ? keys : args }));
  const text = shebang + placed;
  return { name, text, sha: createHash("sha1").update(text).digest("hex"), keys };
}

function declared(source: string, table: string, script: string): string[] {
  const line = new RegExp(`^ {2}${table} {2}(.+)$`, "m").exec(source)?.[1];
  if (line === undefined) throw new Error(`script ${script}.lua declares no ${table}`);
  return line.trim().split(/\s+/);
}

function include(body: string, seen: Set<string>): string {
  return body.replace(/^--- @include (\S+)$/gm, (_, file: string) => {
    if (seen.has(file)) return "";
    seen.add(file);
    return include(readFileSync(new URL(`${file}.lua`, FOLDER), "utf8"), seen);
  });
}

interface Placing {
  readonly table: string;
  readonly used: string;
  readonly name: string;
  readonly names: readonly string[];
}

function place({ table, used, name, names }: Placing): string {
  const at = names.findIndex((declaredName) => declaredName.replace("...", "") === used);
  if (at < 0) throw new Error(`script ${name}.lua uses ${table}.${used}, which its header does not declare`);
  return names[at]?.endsWith("...") ? String(at + 1) : `${table}[${at + 1}]`;
}
