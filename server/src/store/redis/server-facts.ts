import { Cluster, type Redis } from "ioredis";
import type { ServerFacts } from "./boot-check.ts";

const SETTINGS = ["maxmemory-policy", "appendonly", "appendfsync"];

/** Asks a server what it is. In a Cluster one master stands for all. */
export async function readServerFacts(client: Redis | Cluster): Promise<ServerFacts> {
  const node = client instanceof Cluster ? client.nodes("master")[0] : client;
  if (!node) throw new Error("the cluster has no master");
  const info = await node.info("server");
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? "0";
  return { version, config: await readConfig(node) };
}

async function readConfig(node: Redis): Promise<Map<string, string> | undefined> {
  const config = new Map<string, string>();
  for (const name of SETTINGS) {
    const answer: unknown = await node.config("GET", name).catch(() => undefined);
    if (!Array.isArray(answer) || answer.length < 2) return undefined;
    config.set(name, String(answer[1]));
  }
  return config;
}

/** The memory that is used: of a Cluster that of all its masters together. */
export async function readUsedBytes(client: Redis | Cluster): Promise<number> {
  const nodes = client instanceof Cluster ? client.nodes("master") : [client];
  const infos = await Promise.all(nodes.map((node) => node.info("memory")));
  return infos.reduce((sum, info) => sum + Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0), 0);
}
