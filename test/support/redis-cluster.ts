/** Three real redis-server processes as one Redis Cluster, without replicas. */
import type { Redis } from "ioredis";
import { type RedisServer, type RedisSettings, startRedis } from "./redis.ts";
import { until } from "./until.ts";

const LAST_SLOT = 16_383;
const NODES = 3;

export interface RedisCluster {
  readonly servers: readonly RedisServer[];
  /** redis+cluster://host:port,... */
  readonly url: string;
  /** kill -9 of all servers. */
  kill(): Promise<void>;
  /** Starts all again with their data. */
  restart(): Promise<void>;
  destroy(): Promise<void>;
}

export async function startRedisCluster(settings: RedisSettings = {}): Promise<RedisCluster> {
  const ofCluster = { "cluster-enabled": "yes", "cluster-node-timeout": 2_000, ...settings };
  const servers = await Promise.all(Array.from({ length: NODES }, () => startRedis(ofCluster)));
  await join(servers);
  return {
    servers,
    url: `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    kill: () => ofAll(servers, (server) => server.kill()),
    restart: async () => {
      await ofAll(servers, (server) => server.restart());
      await untilWhole(servers);
    },
    destroy: () => ofAll(servers, (server) => server.destroy()),
  };
}

/** Gives each server its share of the slots, and introduces them to the first. */
async function join(servers: readonly RedisServer[]): Promise<void> {
  await withClients(servers, async (clients) => {
    for (const [i, client] of clients.entries()) {
      const from = Math.ceil((i * (LAST_SLOT + 1)) / NODES);
      const to = Math.ceil(((i + 1) * (LAST_SLOT + 1)) / NODES) - 1;
      await client.call("CLUSTER", "ADDSLOTSRANGE", from, to);
      await client.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
    }
    const [first] = servers;
    for (const client of clients.slice(1)) await client.call("CLUSTER", "MEET", "127.0.0.1", first?.port ?? 0);
  });
  await untilWhole(servers);
}

/** Resolves once every server knows all others and finds the cluster in order. */
async function untilWhole(servers: readonly RedisServer[]): Promise<void> {
  await withClients(servers, async (clients) => {
    const isWhole = async () => {
      const infos = await Promise.all(clients.map((client) => client.cluster("INFO")));
      return infos.every((info) => info.includes("cluster_state:ok") && info.includes(`cluster_size:${NODES}`));
    };
    await until("every server of the cluster says cluster_state:ok", isWhole, { withinMs: 30_000, everyMs: 20 });
  });
}

async function withClients(servers: readonly RedisServer[], use: (clients: Redis[]) => Promise<void>): Promise<void> {
  const clients = servers.map((server) => server.connect());
  try {
    await use(clients);
  } finally {
    for (const client of clients) client.disconnect();
  }
}

async function ofAll(servers: readonly RedisServer[], act: (server: RedisServer) => Promise<void>): Promise<void> {
  await Promise.all(servers.map(act));
}
