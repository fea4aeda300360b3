import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseScript } from "./script.ts";
import { SCRIPTS } from "./scripts.ts";

const HEADER = "#!lua flags=no-writes\n--[[ Reads.\n  KEYS  line count\n  ARGV  limit list...\n  Returns it. ]]\n";

function parse(body: string, files: Record<string, string> = {}) {
  return parseScript("sample", (path) => files[path] ?? HEADER + body);
}

describe("a script", () => {
  test("gets numbers for the names that its header declares", () => {
    const script = parse('return redis.call("HGET", KEYS.count, ARGV.limit)');

    expect(script.source).toContain('return redis.call("HGET", KEYS[2], ARGV[1])');
    expect(script.source.startsWith("#!lua flags=no-writes\n")).toBe(true);
    expect(script).toMatchObject({ keys: ["line", "count"], args: ["limit"], isReadOnly: true });
  });

  test("finds its list at the first place after the single arguments", () => {
    expect(parse("return ARGV[ARGV.list]").source).toContain("return ARGV[2]");
  });

  test.for(["KEYS.lin", "KEYS.limit", "ARGV.line", "ARGV.lists"])("that says %s undeclared is refused", (use) => {
    expect(() => parse(`return ${use}`)).toThrow(`sample uses ${use}`);
  });

  test("pastes a file once, and again into a function of its own", () => {
    const files = {
      "lib/a": "--- @include lib/b\nlocal a = KEYS.line",
      "lib/b": "local b = 1",
      "lib/c": "local c = 2",
    };
    const body =
      "--- @include lib/a\n--- @include lib/b\nlocal function f()\n  --- @include lib/c\nend\nlocal function g()\n  --- @include lib/c\nend";
    const { source } = parse(body, files);

    expect(source.match(/local b = 1/g)).toHaveLength(1);
    expect(source.match(/local c = 2/g)).toHaveLength(2);
    expect(source).toContain("local a = KEYS[1]");
  });

  test("that does not begin with a shebang is refused", () => {
    expect(() => parseScript("sample", () => "return 1")).toThrow("#!lua");
  });
});

test("every file is a script that the store runs", () => {
  const files = readdirSync(new URL("scripts", import.meta.url)).filter((file) => file.endsWith(".lua"));

  expect(files.sort()).toEqual(
    Object.values(SCRIPTS)
      .map(({ name }) => `${name}.lua`)
      .sort(),
  );
});
