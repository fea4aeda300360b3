/** What a Redis must be and do, found out before the first task is taken. */
import { Cluster, type Redis } from "ioredis";
import type { Logger } from "../../observe/logger.ts";
import type { Durability } from "../store.ts";
import type { RedisConnection } from "./connection.ts";

const LEVELS: readonly Durability[] = ["volatile", "async", "fsync", "replicated"];

export interface Requirements {
  readonly minReplicas: number;
  readonly requireDurability: Durability;
  readonly logger: Logger;
}

/** Returns the level that the servers can promise: that of the weakest. @throws with a sentence that names the remedy */
export async function checkServers(connection: RedisConnection, { minReplicas, requireDurability, logger }: Requirements): Promise<Durability> {
  if (connection instanceof Cluster && minReplicas > 0) {
    throw new Error("TASKWIRE_MIN_REPLICAS cannot be kept in a Redis Cluster: set it to 0, or use one Redis with replicas");
  }
  const servers = connection instanceof Cluster ? connection.nodes("master") : [connection];
  const levels = await Promise.all(servers.map((server) => checkServer(server, logger)));
  const weakest = LEVELS[Math.min(...levels.map((level) => LEVELS.indexOf(level)))] ?? "volatile";
  const durability = minReplicas > 0 ? "replicated" : weakest;
  if (LEVELS.indexOf(durability) < LEVELS.indexOf(requireDurability)) {
    throw new Error(`this Redis keeps tasks at the level ${durability}, but TASKWIRE_REQUIRE_DURABILITY is ${requireDurability}: ${REMEDY[requireDurability]}`);
  }
  return durability;
}

const REMEDY: Record<Durability, string> = {
  volatile: "any Redis will do",
  async: "set appendonly yes",
  fsync: "set appendonly yes and appendfsync always",
  replicated: "set TASKWIRE_MIN_REPLICAS to 1 or more, and have as many replicas",
};

async function checkServer(server: Redis, logger: Logger): Promise<Durability> {
  const info = await server.info("server");
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? "unknown";
  if (!(Number.parseInt(version, 10) >= 7)) throw new Error(`this Redis has version ${version}; 7.0 or later is needed`);
  const config = await readConfig(server);
  if (!config) {
    logger.warn("the configuration of this Redis cannot be read (CONFIG GET is refused): its durability is taken to be async");
    return "async";
  }
  const policy = config["maxmemory-policy"] ?? "noeviction";
  if (policy !== "noeviction") throw new Error(`this Redis may drop tasks when its memory is full: maxmemory-policy is ${policy}; set it to noeviction`);
  if (config["appendonly"] !== "yes") return "volatile";
  return config["appendfsync"] === "always" ? "fsync" : config["appendfsync"] === "everysec" ? "async" : "volatile";
}

async function readConfig(server: Redis): Promise<Record<string, string> | undefined> {
  try {
    const pairs: Record<string, string> = {};
    for (const name of ["maxmemory-policy", "appendonly", "appendfsync"]) {
      const [key, value] = (await server.config("GET", name)) as [string, string];
      pairs[key] = value;
    }
    return pairs;
  } catch {
    // Managed servers refuse CONFIG.
    return undefined;
  }
}
