/** A real redis-server on a free port of the loopback, with its data in a folder of its own. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { endWithParent, leave } from "./children.ts";
import { untilWorks } from "./until.ts";

/** Settings of redis.conf, by their names there. */
export type RedisSettings = Readonly<Record<string, string | number>>;

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends it in good order. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Freezes the process, and lets it go on. */
  pause(): void;
  resume(): void;
  /** Starts it again with the same port and data. Its settings stay unless `settings` changes some. */
  restart(settings?: RedisSettings): Promise<void>;
  /** A connection of its own; the caller closes it. */
  connect(): Redis;
  /** Ends it and deletes its data. */
  destroy(): Promise<void>;
}

/** Whether a redis-server is installed. */
export async function hasRedis(): Promise<boolean> {
  return promisify(execFile)("redis-server", ["--version"]).then(
    () => true,
    () => false,
  );
}

/** Starts a server; without settings it keeps an append-only file that is synced at each write. */
export async function startRedis(settings: RedisSettings = {}): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), "taskwire-redis-"));
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    let all: RedisSettings = { ...DEFAULTS, ...settings, port, dir };
    const started = await launch(all).catch((error: unknown) => {
      // Another process may have taken the port since it was seen free.
      if (tries < 5) return undefined;
      throw error;
    });
    if (!started) continue;
    let child = started;
    const restart = async (changed: RedisSettings = {}) => {
      all = { ...all, ...changed };
      child = await launch(all);
    };
    const stop = () => end(child, "SIGTERM");
    return {
      port,
      url: `redis://127.0.0.1:${port}`,
      stop,
      kill: () => end(child, "SIGKILL"),
      pause: () => void child.kill("SIGSTOP"),
      resume: () => void child.kill("SIGCONT"),
      restart,
      connect: () => quietRedis(port),
      destroy: async () => {
        await end(child, "SIGKILL");
        await rm(dir, { recursive: true, force: true });
      },
    };
  }
}

const DEFAULTS: RedisSettings = {
  bind: "127.0.0.1",
  save: "",
  appendonly: "yes",
  appendfsync: "always",
  "maxmemory-policy": "noeviction",
};

/** A port that no one listens on now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("the probe has no port");
  return address.port;
}

async function launch(settings: RedisSettings): Promise<ChildProcess> {
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn("redis-server", flags, { stdio: ["ignore", "pipe", "inherit"] });
  let log = "";
  child.stdout.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4_096);
  });
  endWithParent(child);
  await once(child, "spawn");
  const client = quietRedis(Number(settings["port"]));
  try {
    await untilWorks("redis-server answers", () => {
      if (child.exitCode !== null) return Promise.reject(new Error(`it has ended: ${log}`));
      return client.ping();
    });
  } finally {
    client.disconnect();
  }
  if (child.exitCode !== null) throw new Error(`redis-server has ended: ${log}`);
  return child;
}

/** A connection that does not log what goes wrong: calls still reject. */
function quietRedis(port: number): Redis {
  const client = new Redis(port, "127.0.0.1", { maxRetriesPerRequest: 0, retryStrategy: () => 20 });
  client.on("error", () => undefined);
  return client;
}

function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  return leave(child, () => child.kill(signal));
}
