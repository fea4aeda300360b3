import { describe, expect, test } from "vitest";
import { createLogger } from "../../observe/logger.ts";
import { checkServer } from "./boot-check.ts";

const logger = createLogger("silent", false);
const NO_DEMANDS = { requireDurability: "volatile", minReplicas: 0 } as const;
const ALWAYS = { "maxmemory-policy": "noeviction", appendonly: "yes", appendfsync: "always" };

describe("a server", () => {
  test.for([
    ["fsync", {}],
    ["async", { appendfsync: "everysec" }],
    ["volatile", { appendfsync: "no" }],
    ["volatile", { appendonly: "no" }],
  ] as const)("promises %s with %o", ([durability, settings]) => {
    expect(checkServer(server({ ...ALWAYS, ...settings }), NO_DEMANDS, logger)).toBe(durability);
  });

  test.for([
    ["replicated", {}],
    ["replicated", { appendfsync: "everysec" }],
    // One that starts again after a crash is empty, and its replicas become empty with it.
    ["volatile", { appendonly: "no" }],
    ["volatile", { appendfsync: "no" }],
  ] as const)("whose replicas must have each write promises %s with %o", ([durability, settings]) => {
    const demands = { requireDurability: "volatile", minReplicas: 1 } as const;

    expect(checkServer(server({ ...ALWAYS, ...settings }), demands, logger)).toBe(durability);
  });

  test.for([
    [0, {}, "set TASKWIRE_MIN_REPLICAS to 1 or more"],
    [1, { appendonly: "no" }, "set appendonly yes and appendfsync everysec"],
  ] as const)(
    "that is to be replicated, with %i replicas and %o, is refused with the remedy",
    ([minReplicas, settings, remedy]) => {
      const demands = { requireDurability: "replicated", minReplicas } as const;

      expect(() => checkServer(server({ ...ALWAYS, ...settings }), demands, logger)).toThrow(remedy);
    },
  );

  test("whose settings cannot be read promises async at most", () => {
    const unreadable = { version: "7.2.4", config: undefined };

    expect(checkServer(unreadable, NO_DEMANDS, logger)).toBe("async");
    expect(() => checkServer(unreadable, { requireDurability: "fsync", minReplicas: 0 }, logger)).toThrow(
      "appendfsync always",
    );
  });

  test.for([
    ["6.2.14", ALWAYS, "Redis 6.2.14 is too old"],
    ["7.0.15", { ...ALWAYS, "maxmemory-policy": "allkeys-lru" }, "maxmemory-policy noeviction"],
  ] as const)("of version %s that is unfit is refused, with the remedy", ([version, settings, sentence]) => {
    expect(() => checkServer(server(settings, version), NO_DEMANDS, logger)).toThrow(sentence);
  });

  test("of a later major version is fit", () => {
    expect(checkServer(server(ALWAYS, "10.0.1"), NO_DEMANDS, logger)).toBe("fsync");
  });
});

function server(settings: Record<string, string>, version = "7.0.15") {
  return { version, config: new Map(Object.entries(settings)) };
}
