/** Finds the redis-server that the tests start, or installs it where that can be done without asking. */
import { execFileSync } from "node:child_process";
import { canInstall, install } from "./apt.ts";

const OLDEST_REDIS = 7;
const HOW_TO = `The tests need redis-server ${OLDEST_REDIS}.0 or newer on the path: apt-get install redis-server, brew install redis, or see https://redis.io/docs/latest/operate/oss_and_stack/install/`;

/**
 * Makes sure that the path has a redis-server. Returns its version.
 * Throws with a sentence that says how to get it when there is none and it cannot be installed here.
 */
export function ensureRedisServer(): string {
  const found = redisVersion() ?? (canInstall() ? installRedis() : undefined);
  if (found === undefined) throw new Error(HOW_TO);
  if (Number.parseInt(found, 10) < OLDEST_REDIS) throw new Error(`This redis-server is version ${found}. ${HOW_TO}`);
  return found;
}

function redisVersion(): string | undefined {
  try {
    const told = execFileSync("redis-server", ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return /\bv=(\S+)/.exec(told)?.[1];
  } catch {
    return undefined;
  }
}

function installRedis(): string | undefined {
  install("redis-server", HOW_TO);
  return redisVersion();
}
