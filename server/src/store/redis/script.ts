/**
 * Loads a Lua script. Its header is the only declaration of keys and arguments:
 *
 *     #!lua flags=...
 *     --[[ What it does.
 *       KEYS  line cursor
 *       ARGV  broker limit list...
 *       ... ]]
 *
 * The body says KEYS.line and ARGV.limit; the loader puts the numbers in. An argument that ends with dots stands for all
 * that follow: ARGV.list is then the place of the first of them. `--- @include lib/x` pastes a file, once. A body that uses
 * what the header does not declare is refused here, not at two in the morning.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export type Argument = string | Buffer | number;

export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  readonly isReadOnly: boolean;
}

/** The same folder whether this runs from src/ or from dist/: only src/ has the Lua files. */
const FOLDER = new URL("../../../src/store/redis/scripts/", import.meta.url);

export function loadScript(name: string): Script {
  return parseScript(name, (path) => readFileSync(new URL(`${path}.lua`, FOLDER), "utf8"));
}

/** @param read gives the text of a file by its path without ".lua" */
export function parseScript(name: string, read: (path: string) => string): Script {
  const text = read(name);
  const shebang = /^#!lua.*\n/.exec(text)?.[0];
  if (!shebang) throw new Error(`script ${name} must begin with #!lua`);
  const header = /--\[\[[\s\S]*?\]\]/.exec(text)?.[0] ?? "";
  const keys = declared(header, "KEYS");
  const args = declared(header, "ARGV");
  const body = paste(text.slice(shebang.length).replace(header, ""), read, new Set());
  const numbered = number(name, number(name, body, "KEYS", keys), "ARGV", args);
  const source = shebang + numbered;
  return {
    name,
    source,
    sha: createHash("sha1").update(source).digest("hex"),
    keys,
    args: args.filter((arg) => !arg.endsWith("...")),
    isReadOnly: shebang.includes("no-writes"),
  };
}

function declared(header: string, table: string): string[] {
  const names = new RegExp(`^ *${table} +(.+?)(?: \\]\\])?$`, "m").exec(header)?.[1];
  return names ? names.trim().split(/\s+/) : [];
}

/** An indented include stands inside a function: what it defines is known only there, so it may be pasted again elsewhere. */
function paste(body: string, read: (path: string) => string, pasted: Set<string>): string {
  return body.replace(/^( *)--- @include (\S+)$/gm, (_line, indent: string, path: string) => {
    if (pasted.has(path)) return "";
    const scope = indent === "" ? pasted : new Set(pasted);
    scope.add(path);
    return paste(read(path), read, scope);
  });
}

function number(name: string, body: string, table: string, names: readonly string[]): string {
  return body.replace(new RegExp(`\\b${table}\\.(\\w+)`, "g"), (_use, word: string) => {
    const rest = names.indexOf(`${word}...`);
    if (rest >= 0) return String(rest + 1);
    const place = names.indexOf(word);
    if (place < 0) throw new Error(`script ${name} uses ${table}.${word}, which its header does not declare`);
    return `${table}[${place + 1}]`;
  });
}
