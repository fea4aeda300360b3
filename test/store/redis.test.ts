/** What only a store on Redis has to bear: rollbacks, full memory, lost scripts, and servers that promise too little. */
import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { callerKey, createLogger, createRedisStore, type Durability, type Store } from "@taskwire/server/testing";
import { test as base, describe, expect } from "vitest";
import { hasRedis, type RedisServer, type RedisSettings, startRedis } from "../support/redis.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { until, untilWorks } from "../support/until.ts";
import { DEFAULT_OPTIONS, HeardEvents } from "./backend.ts";
import {
  ack,
  claim,
  claimAll,
  claimOne,
  counters,
  errorCode,
  keysOf,
  killAll,
  leaseOne,
  lose,
  newTask,
  newTasks,
  QUEUE,
  release,
  settle,
  settleAll,
} from "./tasks.ts";

const isAvailable = await hasRedis();
const logger = createLogger("silent", false);

interface Fixtures {
  readonly launch: (settings?: RedisSettings) => Promise<RedisServer>;
  readonly connect: (
    server: { readonly url: string },
    requireDurability?: Durability,
    minReplicas?: number,
    shared?: { readonly namespace?: string; readonly events?: HeardEvents },
  ) => Promise<Store>;
  /** A server that follows another; resolves when it has caught up. */
  readonly follow: (master: RedisServer) => Promise<RedisServer>;
}

const test = base.extend<Fixtures>({
  launch: async ({}, use) => {
    const servers: RedisServer[] = [];
    await use(async (settings) => {
      const server = await startRedis(settings);
      servers.push(server);
      return server;
    });
    for (const server of servers) await server.destroy();
  },
  // Depends on `launch` so that stores are stopped before their servers.
  connect: async ({ launch: _ }, use) => {
    const stores: Store[] = [];
    await use(async ({ url }, requireDurability = "volatile", minReplicas = 0, shared = {}) => {
      const { namespace = `test-${randomBytes(4).toString("hex")}`, events = new HeardEvents() } = shared;
      const store = createRedisStore({ ...DEFAULT_OPTIONS, url, namespace, requireDurability, minReplicas, logger });
      await store.start(events);
      stores.push(store);
      return store;
    });
    for (const store of stores) await store.stop();
  },
  follow: async ({ launch }, use) =>
    use(async (master) => {
      const replica = await launch();
      const [client, masterClient] = [replica.connect(), master.connect()];
      await client.replicaof("127.0.0.1", master.port);
      await until(
        "the replica has caught up",
        async () =>
          (await client.info("replication")).includes("master_link_status:up") &&
          (await masterClient.wait(1, 50)) === 1,
      );
      client.disconnect();
      masterClient.disconnect();
      return replica;
    }),
});

describe.skipIf(!isAvailable && process.env["CI"] !== "true")("a store on Redis", () => {
  test.for([
    ["fsync", { appendonly: "yes", appendfsync: "always" }],
    ["async", { appendonly: "yes", appendfsync: "everysec" }],
    ["volatile", { appendonly: "no" }],
  ] as const)("says %s when that is what its server does", async ([durability, settings], { launch, connect }) => {
    const store = await connect(await launch(settings));

    expect(store.durability).toBe(durability);
  });

  test("refuses a server that promises less than is required", async ({ launch, connect }) => {
    const server = await launch({ appendfsync: "everysec" });

    await expect(connect(server, "fsync")).rejects.toThrow(/appendfsync/);
    expect((await connect(server, "async")).durability).toBe("async");
  });

  describe("that waits for a replica", () => {
    test("says replicated, and does so for the whole life of a task", async ({ launch, connect, follow }) => {
      const master = await launch({ appendfsync: "everysec" });
      const replica = await follow(master);
      const store = await connect(master, "replicated", 1);

      await store.enqueue(QUEUE, newTasks(2));
      const client = replica.connect();
      const copied = (await client.keys("*")).length;
      await settleAll(store, await claimAll(store), ack());

      expect(store.durability).toBe("replicated");
      expect(copied, "keys that the replica has when the answer comes").toBeGreaterThan(0);
      expect(await counters(store)).toMatchObject({ enqueued: 2, completed: 2 });
      client.disconnect();
    });

    test("does not know what became of a write that the replica did not confirm", async ({
      launch,
      connect,
      follow,
    }) => {
      const master = await launch();
      const replica = await follow(master);
      const store = await connect(master, "replicated", 1);
      replica.pause();

      const refusal = await store.enqueue(QUEUE, newTasks(1)).catch((error: unknown) => error);
      replica.resume();

      expect(refusal).toMatchObject({ code: "STORE_UNAVAILABLE", effect: "unknown" });
    });

    test("tells of a cancel after the answer of the claim that leased the task", async ({
      launch,
      connect,
      follow,
    }) => {
      const master = await launch();
      const replica = await follow(master);
      const [namespace, events] = ["shared", new HeardEvents()];
      const store = await connect(master, "replicated", 1, { namespace, events });
      const other = await connect(master, "volatile", 0, { namespace });
      const [key = ""] = keysOf(await store.enqueue(QUEUE, newTasks(1)));
      replica.pause();
      const claiming = claim(store).then((held) => ({ held, heard: events.cancelledLeases.length }));
      await until("the task is leased", async () => (await counters(other)).active === 1);

      await other.cancel(QUEUE, key, "");
      await other.now();
      replica.resume();

      const { held, heard } = await claiming;
      expect({ keys: keysOf(held), heard }).toEqual({ keys: [key], heard: 0 });
      await until("it hears of the cancel", () => events.cancelledLeases.length > 0);
      const { broker, sequence } = held[0]?.lease ?? {};
      expect(events.cancelledLeases).toEqual([{ broker, sequence, index: held[0]?.index }]);
    });

    test("tells of its own cancel that the replica did not confirm", async ({ launch, connect, follow }) => {
      const master = await launch();
      const replica = await follow(master);
      const events = new HeardEvents();
      const store = await connect(master, "replicated", 1, { events });
      const { key, lease, index } = await leaseOne(store);
      replica.pause();

      const refusal = await store.cancel(QUEUE, key, "").catch((error: unknown) => error);
      replica.resume();

      expect(refusal).toMatchObject({ code: "STORE_UNAVAILABLE", effect: "unknown" });
      await until("it hears of the cancel", () => events.cancelledLeases.length > 0);
      const { broker, sequence } = lease;
      expect(events.cancelledLeases).toContainEqual({ broker, sequence, index });
      expect(await store.cancel(QUEUE, key, "")).toEqual({ kind: "ended", state: "cancelled" });
    });

    test("promises nothing for a server that keeps no append-only file", async ({ launch, connect, follow }) => {
      const master = await launch({ appendonly: "no" });
      await follow(master);

      await expect(connect(master, "replicated", 1)).rejects.toThrow("appendonly yes");
      expect((await connect(master, "volatile", 1)).durability).toBe("volatile");
    });
  });

  test("refuses a server that may evict tasks", async ({ launch, connect }) => {
    const server = await launch({ "maxmemory-policy": "allkeys-lru" });

    await expect(connect(server)).rejects.toThrow(/noeviction/);
  });

  test("rejects with a sentence when there is no server", async ({ launch, connect }) => {
    const server = await launch();
    await server.stop();

    await expect(connect(server)).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${server.port}`));
  });

  test("works on when the server forgets its scripts", async ({ launch, connect }) => {
    const server = await launch();
    const store = await connect(server);
    const client = server.connect();
    await store.enqueue(QUEUE, newTasks(2));

    await client.script("FLUSH");
    await store.enqueue(QUEUE, newTasks(2));
    await client.script("FLUSH");
    const held = await claimAll(store);
    await client.script("FLUSH");
    await settleAll(store, held, ack());

    expect(await counters(store)).toMatchObject({ enqueued: 4, completed: 4 });
    client.disconnect();
  });

  test("refuses tasks when memory is full, and lets workers drain it", async ({ launch, connect }) => {
    const server = await launch();
    const store = await connect(server);
    const client = server.connect();
    await store.enqueue(QUEUE, [
      ...newTasks(200),
      newTask("urgent", { priority: 1 }),
      newTask("idle", { priority: -1 }),
    ]);
    const [first, second, third, ...rest] = await claimAll(store);
    await client.config("SET", "maxmemory", 1);

    expect(await errorCode(store.enqueue(QUEUE, newTasks(1)))).toBe("STORE_FULL");
    expect(await errorCode(store.enqueue(QUEUE, [newTask("urgent", { priority: 1 })]))).toBe("STORE_FULL");

    for (const [held, outcome] of [
      [first, lose()],
      [second, release()],
      [third, ack()],
    ] as const) {
      if (!held) throw new Error("too few tasks");
      expect(await settle(store, held, outcome)).toBe("settled");
    }
    expect(new Set(await settleAll(store, rest, ack("fine")))).toEqual(new Set(["settled"]));
    expect(new Set(await settleAll(store, await claimAll(store), ack()))).toEqual(new Set(["settled"]));
    expect(await counters(store)).toMatchObject({ enqueued: 202, completed: 202, ready: 0, active: 0 });
    await client.config("SET", "maxmemory", 0);
    expect(await store.enqueue(QUEUE, newTasks(1))).toHaveLength(1);
    client.disconnect();
  });

  test("lets operators go on when memory is full", async ({ launch, connect }) => {
    const server = await launch();
    const store = await connect(server);
    const client = server.connect();
    const [one, two] = await killAll(store, newTasks(2));
    const [waiting, leased] = await store.enqueue(QUEUE, newTasks(2));
    await client.config("SET", "maxmemory", 1);

    expect(await store.cancel(QUEUE, waiting?.key ?? "", "")).toMatchObject({ kind: "cancelled" });
    expect(keysOf(await claimAll(store))).toEqual([leased?.key]);
    expect(await store.cancel(QUEUE, leased?.key ?? "", "")).toMatchObject({ kind: "cancelled" });
    expect(await store.revive(QUEUE, [one?.key ?? ""])).toEqual(["done"]);
    expect(await store.deleteDead(QUEUE, [two?.key ?? ""])).toEqual(["done"]);
    expect(await store.steer(QUEUE, { paused: true })).toMatchObject({ paused: true });

    expect(await counters(store)).toMatchObject({ ready: 1, dead: 0, cancelled: 2, revived: 1, deleted: 1 });
    client.disconnect();
  });

  test("keeps no mark of, or reference to, a cancelled task that was passed, and no more of what has ended than it lists", async ({
    launch,
    connect,
  }) => {
    const server = await launch();
    const store = await connect(server);
    const client = server.connect();
    const sizeOf = async (suffix: string, command: "HLEN" | "XLEN") => {
      const [key] = await client.keys(`*:${QUEUE}:0}${suffix}`);
      return key ? Number(await client.call(command, key)) : 0;
    };
    for (const [cancelled, maxTasks] of [
      [[0, 1, 5, 99], 7],
      [[99], 99],
      [Array.from({ length: 100 }, (_, i) => i), 100],
    ] as const) {
      const keys = keysOf(await store.enqueue(QUEUE, newTasks(100)));
      for (const at of cancelled) await store.cancel(QUEUE, keys[at] ?? "", "");
      await settleAll(store, await claimAll(store, { maxTasks }), ack());
    }
    expect(await sizeOf("gone", "HLEN")).toBe(0);

    // Each of these finds the line without a ready task, and is claimed in the same call.
    for (let i = 0; i < 5; i++) {
      const [named] = await store.enqueue(QUEUE, [newTask("named", { key: callerKey(`order-${i}`) })]);
      await store.cancel(QUEUE, named?.key ?? "", "");
      const [, held] = await Promise.all([store.enqueue(QUEUE, newTasks(1)), claim(store, { maxTasks: 1 })]);
      await settleAll(store, held, ack());
    }
    expect(await sizeOf("b", "XLEN")).toBe(0);

    for (let i = 0; i < 30; i++) {
      await store.enqueue(QUEUE, newTasks(500));
      await settleAll(store, await claimAll(store), ack());
    }
    expect(await sizeOf("ended", "XLEN")).toBeLessThan(250);
    expect(await sizeOf("left", "HLEN")).toBe(0);
    expect(await sizeOf("b", "XLEN")).toBe(0);
    client.disconnect();
  });

  test("that was rolled back honours no lease of the lost time, and repeats no key", async ({ launch, connect }) => {
    const server = await launch({ appendonly: "no" });
    const store = await connect(server);
    await store.enqueue(QUEUE, [...newTasks(10), newTask("urgent", { priority: 1 })]);
    const client = server.connect();
    await client.save();
    client.disconnect();
    const lost = await claimAll(store);
    const lostKeys = keysOf(await store.enqueue(QUEUE, newTasks(5)));

    await server.kill();
    await server.restart();
    await untilWorks("the store reaches its server again", () => store.stats([QUEUE]));

    expect(new Set(await settleAll(store, lost, ack())), "leases that the server never heard of").toEqual(
      new Set(["stale"]),
    );
    const again = await claimAll(store);
    expect(keysOf(again).sort()).toEqual(keysOf(lost).sort());
    expect(again.map(({ lease }) => lease.attempt)).toEqual(lost.map(({ lease }) => lease.attempt));
    expect(new Set(await settleAll(store, lost, ack())), "leases of the same attempts").toEqual(new Set(["stale"]));
    expect(new Set(await settleAll(store, again, ack()))).toEqual(new Set(["settled"]));
    for (const key of keysOf(await store.enqueue(QUEUE, newTasks(5)))) expect(lostKeys).not.toContain(key);
  });

  test("says STORE_UNAVAILABLE while its server is gone, and works on afterwards", async ({ launch, connect }) => {
    const server = await launch();
    const store = await connect(server);
    await store.enqueue(QUEUE, newTasks(1));

    await server.kill();
    expect(await errorCode(store.enqueue(QUEUE, newTasks(1)))).toBe("STORE_UNAVAILABLE");
    expect(await errorCode(store.claim(QUEUE, { maxTasks: 1, maxBytes: 100 }))).toBe("STORE_UNAVAILABLE");

    await server.restart();
    const held = await untilWorks("the store reaches its server again", () => claimOne(store));
    expect(await settle(store, held, ack())).toBe("settled");
  });

  test("whose cluster is gone tries to connect now and then, not all the time", async ({ connect, onTestFinished }) => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.destroy());
    await connect(cluster);
    let tries = 0;
    const onSocket = () => tries++;
    subscribe("net.client.socket", onSocket);
    onTestFinished(() => void unsubscribe("net.client.socket", onSocket));

    await cluster.kill();
    const goneAt = performance.now();
    await until("a second is over", () => performance.now() - goneAt > 1_000);

    expect(tries).toBeGreaterThan(0);
    expect(tries).toBeLessThan(200);
  });

  test("keeps namespaces apart", async ({ launch, connect }) => {
    const server = await launch();
    const [one, two] = [await connect(server), await connect(server)];

    await one.enqueue(QUEUE, newTasks(3));

    expect(await two.queues()).toEqual([]);
    expect(await claimAll(two)).toEqual([]);
    expect(await two.brokers()).toBe(1);
  });
});
