import { describe, expect, test } from "vitest";
import { describeAddress, parseAddress } from "./address.ts";

describe("a Redis URL", () => {
  test.for([
    ["redis://127.0.0.1:6390/2", { kind: "standalone", nodes: [{ host: "127.0.0.1", port: 6390 }], db: 2, tls: false }],
    [
      "rediss://:secret@redis.example",
      { nodes: [{ host: "redis.example", port: 6379 }], tls: true, password: "secret" },
    ],
    ["redis://app:p%40ss@[::1]:7000", { nodes: [{ host: "::1", port: 7000 }], username: "app", password: "p@ss" }],
    [
      "redis+cluster://a:1,b:2?tls=true",
      {
        kind: "cluster",
        nodes: [
          { host: "a", port: 1 },
          { host: "b", port: 2 },
        ],
        tls: true,
      },
    ],
    [
      "redis+sentinel://a,b:2/tw",
      {
        kind: "sentinel",
        nodes: [
          { host: "a", port: 26379 },
          { host: "b", port: 2 },
        ],
        master: "tw",
      },
    ],
  ] as const)("%s is understood", ([url, parts]) => {
    expect(parseAddress(url)).toMatchObject(parts);
  });

  test.for(["http://a", "redis://a,b", "redis+sentinel://a", "redis://"])("%s is refused", (url) => {
    expect(() => parseAddress(url)).toThrow();
  });

  test("is described without its secrets", () => {
    expect(describeAddress(parseAddress("redis+sentinel://app:secret@a:1,b:2/tw"))).toBe("redis+sentinel://a:1,b:2/tw");
    expect(describeAddress(parseAddress("rediss://app:secret@a/3"))).toBe("rediss://a:6379/3");
  });
});
