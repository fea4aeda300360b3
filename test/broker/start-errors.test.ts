/** What a broker says that cannot start: one line of its log that names the remedy, once, and no stack. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, describe, expect } from "vitest";
import { runBroker } from "../support/broker.ts";
import { hasRedis, type RedisServer, type RedisSettings, startRedis } from "../support/redis.ts";

const isAvailable = await hasRedis();

const test = base.extend<{ dir: string; launch: (settings: RedisSettings) => Promise<RedisServer> }>({
  dir: async ({}, use) => {
    const dir = await mkdtemp(join(tmpdir(), "taskwire-start-"));
    await use(dir);
    await rm(dir, { recursive: true, force: true });
  },
  launch: async ({}, use) => {
    const servers: RedisServer[] = [];
    await use(async (settings) => {
      const server = await startRedis(settings);
      servers.push(server);
      return server;
    });
    for (const server of servers) await server.destroy();
  },
});

/** Starts a broker, which must leave with 1 after one line. */
async function reason(flags: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await runBroker(["--grpc-listen", "127.0.0.1:0", "--warm-up", "false", ...flags]);
  const lines = stdout.trimEnd().split("\n");
  expect({ code, stderr, lines: lines.length }, stdout).toEqual({ code: 1, stderr: "", lines: 1 });
  const { level, time: _, reason: why, ...rest } = JSON.parse(lines[0] ?? "");
  expect({ level, ...rest }).toEqual({ level: 60, msg: "the broker cannot start" });
  return why;
}

describe("a broker that cannot start says so once", () => {
  test("when its data folder is a file", async ({ dir }) => {
    const file = join(dir, "file");
    await writeFile(file, "");

    expect(await reason(["--data-dir", file])).toMatch(
      /^the data folder .*file cannot be used: EEXIST.*; give the broker's user .* TASKWIRE_DATA_DIR$/,
    );
  });

  test("when its address is taken", async ({ dir }) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" ? address?.port : undefined;

    const why = await reason(["--data-dir", dir, "--grpc-listen", `127.0.0.1:${port}`]);
    other.close();

    expect(why).toContain(`cannot listen on 127.0.0.1:${port}: listen EADDRINUSE`);
    expect(why).toContain("is another broker running there?");
  });

  test.for([
    ["redis://127.0.0.1:1", "cannot use Redis at redis://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1; see that"],
    ["redis+cluster://127.0.0.1:1", "cannot use Redis at redis+cluster://127.0.0.1:1: "],
    ["redis+sentinel://127.0.0.1:1", "redis+sentinel:// must end with / and the name of the master"],
    ["redis://127.0.0.1:99999", 'TASKWIRE_REDIS_URL is wrong: "127.0.0.1:99999" is not a host and port'],
    ["redis://127.0.0.1:6379/abc", 'must end with the number of a database, not with "abc"'],
  ] as const)("when it is to use %s", async ([url, sentence]) => {
    expect(await reason(["--store", "redis", "--redis-url", url])).toContain(sentence);
  });
});

describe.skipIf(!isAvailable && process.env["CI"] !== "true")("a broker that its Redis refuses says so once", () => {
  test("when the password is wrong, and does not show it", async ({ launch }) => {
    const locked = await launch({});
    const client = locked.connect();
    await client.config("SET", "requirepass", "right");
    client.disconnect();

    const without = await reason(["--store", "redis", "--redis-url", locked.url]);
    const wrong = await reason(["--store", "redis", "--redis-url", `redis://:s3cret@127.0.0.1:${locked.port}`]);

    expect(without).toContain("NOAUTH");
    expect(wrong).toContain("WRONGPASS");
    expect(wrong).not.toContain("s3cret");
  });

  test("when there is no database of that number", async ({ launch }) => {
    const { url } = await launch({ databases: 4 });

    expect(await reason(["--store", "redis", "--redis-url", `${url}/9`])).toContain("DB index is out of range");
  });

  test("when it may evict tasks", async ({ launch }) => {
    const { url } = await launch({ "maxmemory-policy": "allkeys-lru" });

    expect(await reason(["--store", "redis", "--redis-url", url])).toContain("noeviction");
  });
});
