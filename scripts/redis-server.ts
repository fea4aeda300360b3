/** Finds the redis-server that the tests start, or installs it where that can be done without asking. */
import { execFileSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";

const OLDEST_REDIS = 7;
const HOW_TO = `The tests need redis-server ${OLDEST_REDIS}.0 or newer on the path: apt-get install redis-server, brew install redis, or see https://redis.io/docs/latest/operate/oss_and_stack/install/`;

/**
 * Makes sure that the path has a redis-server. Returns its version.
 * Throws with a sentence that says how to get it when there is none and it cannot be installed here.
 */
export function ensureRedisServer(): string {
  const found = redisVersion() ?? (canInstall() ? install() : undefined);
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

function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
}

/** Debian starts what it installs, unless this file says no. The tests start servers of their own. */
const POLICY = "/usr/sbin/policy-rc.d";

function install(): string | undefined {
  console.error("test: installing redis-server ...");
  const ownsPolicy = !existsSync(POLICY);
  if (ownsPolicy) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    apt("update");
    apt("install", "-y", "--no-install-recommends", "redis-server");
  } catch (cause) {
    throw new Error(`apt-get could not install redis-server. ${HOW_TO}`, { cause });
  } finally {
    if (ownsPolicy) rmSync(POLICY, { force: true });
  }
  return redisVersion();
}

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", ["-qq", ...args], { env, stdio: ["ignore", "ignore", "inherit"] });
}
