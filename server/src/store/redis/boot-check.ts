/** Whether the server can keep the promises that are made in its name. Each refusal names its remedy. */
import { CannotStart } from "../../domain/cannot-start.ts";
import type { Logger } from "../../observe/logger.ts";
import type { Durability } from "../store.ts";

const MIN_MAJOR = 7;
const LEVELS: readonly Durability[] = ["volatile", "async", "fsync", "replicated"];

export interface ServerFacts {
  readonly version: string;
  /** Settings by name; undefined when the server does not let them be read, as managed ones often do. */
  readonly config: ReadonlyMap<string, string> | undefined;
}

export interface Demands {
  readonly requireDurability: Durability;
  readonly minReplicas: number;
}

/**
 * The durability that a resolved promise stands for.
 * @throws CannotStart when the server is unfit
 */
export function checkServer(
  { version, config }: ServerFacts,
  { requireDurability, minReplicas }: Demands,
  logger: Logger,
): Durability {
  if (!(Number.parseInt(version, 10) >= MIN_MAJOR)) {
    throw new CannotStart(`Redis ${version} is too old: use Redis ${MIN_MAJOR}.0 or later`);
  }
  const policy = config?.get("maxmemory-policy");
  if (policy !== undefined && policy !== "noeviction") {
    throw new CannotStart(
      `Redis may evict tasks: its maxmemory-policy is ${policy}; set it with CONFIG SET maxmemory-policy noeviction and in redis.conf`,
    );
  }
  if (!config)
    logger.warn(
      { durability: "async" },
      "the settings of redis cannot be read; see that maxmemory-policy is noeviction",
    );
  const own = ownDurability(config);
  // A master that keeps nothing is empty when it starts again after a crash, and its replicas become empty with it.
  const durability = minReplicas > 0 && own !== "volatile" ? "replicated" : own;
  if (LEVELS.indexOf(durability) < LEVELS.indexOf(requireDurability)) {
    throw new CannotStart(
      `Redis promises "${durability}", but "${requireDurability}" is required: ${remedy(requireDurability, own)}, or require less`,
    );
  }
  return durability;
}

/** What one server promises by itself. */
function ownDurability(config: ReadonlyMap<string, string> | undefined): Durability {
  if (!config) return "async";
  if (config.get("appendonly") !== "yes") return "volatile";
  const fsync = config.get("appendfsync");
  return fsync === "always" ? "fsync" : fsync === "everysec" ? "async" : "volatile";
}

function remedy(required: Durability, own: Durability): string {
  if (required === "replicated" && own !== "volatile")
    return "set TASKWIRE_MIN_REPLICAS to 1 or more, the number of replicas that must have each write";
  return `set appendonly yes and appendfsync ${required === "fsync" ? "always" : "everysec"}`;
}
