import { Cluster, Command, Redis } from "ioredis";
import type { Logger } from "../../observe/logger.ts";
import { fromRedisError } from "./errors.ts";
import type { Argument, Script } from "./script.ts";

/** How long a call may take. A store that is slower than this cannot be told from one that is away. */
const CALL_MS = 5_000;

const OPTIONS = {
  lazyConnect: true,
  // A call that cannot be sent fails at once, and one whose connection broke is not sent again behind our back: the caller
  // decides, knowing whether it may have happened.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResubscribe: true,
  commandTimeout: CALL_MS,
  connectTimeout: CALL_MS,
  retryStrategy: (tries: number) => Math.min(50 * 2 ** Math.min(tries, 10), 1_000),
};

export type RedisConnection = Redis | Cluster;

/** Connections for commands and for subscriptions: one to which a client listens can do nothing else. */
export interface Connections {
  readonly commands: RedisConnection;
  readonly subscriptions: RedisConnection;
}

/** Takes apart redis://, rediss://, redis+cluster://h:p,h:p and redis+sentinel://h:p,h:p/master. Does not connect yet. */
export function createConnections(url: string): Connections {
  return { commands: createConnection(url), subscriptions: createConnection(url, { commandTimeout: 0 }) };
}

function createConnection(url: string, own: { commandTimeout?: number } = {}): RedisConnection {
  const { commandTimeout: _, ...untimed } = OPTIONS;
  // A subscription waits for ever.
  const options = own.commandTimeout === 0 ? { ...untimed, enableOfflineQueue: true } : OPTIONS;
  const match = /^redis\+(cluster|sentinel):\/\/(?:([^@]*)@)?([^/]+)(?:\/(.*))?$/.exec(url);
  if (!match) return new Redis(url, options);
  const [, kind, credentials = "", hosts = "", path = ""] = match;
  const [username = "", password = ""] = credentials.split(":").map(decodeURIComponent);
  const login = credentials === "" ? {} : { username, password };
  const nodes = hosts.split(",").map((host) => ({ host: host.slice(0, host.lastIndexOf(":")), port: Number(host.slice(host.lastIndexOf(":") + 1)) }));
  if (kind === "sentinel") return new Redis({ ...options, ...login, sentinels: nodes, name: path || "mymaster" });
  return new Cluster(nodes, {
    lazyConnect: true,
    enableOfflineQueue: own.commandTimeout === 0,
    redisOptions: { ...options, ...login, lazyConnect: false },
    clusterRetryStrategy: (tries: number) => Math.min(50 * 2 ** Math.min(tries, 10), 1_000),
    slotsRefreshTimeout: CALL_MS,
  });
}

/** Runs scripts and commands, and turns what goes wrong into our own errors. */
export class Commands {
  readonly connection: RedisConnection;
  readonly #minReplicas: number;
  readonly #logger: Logger;

  constructor(connection: RedisConnection, minReplicas: number, logger: Logger) {
    this.connection = connection;
    this.#minReplicas = minReplicas;
    this.#logger = logger;
  }

  /** Runs a script that writes. The reply's strings are Buffers. */
  async run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.guard(async () => {
      const reply = this.#evalsha(script, keys, args);
      if (this.#minReplicas === 0) return reply;
      // On the same connection, right behind it: WAIT is about what this connection wrote.
      const [answer, replicas] = await Promise.all([reply, this.connection.wait(this.#minReplicas, CALL_MS / 2)]);
      if (replicas < this.#minReplicas) throw new Error(`only ${replicas} of ${this.#minReplicas} replicas have the write`);
      return answer;
    });
  }

  /** Runs a script, or anything else, that only reads. */
  async read(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.guard(() => this.#evalsha(script, keys, args));
  }

  async #evalsha(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.#send("evalsha", [script.sha, keys.length, ...keys, ...args]);
    } catch (error) {
      // A server that was restarted has forgotten its scripts.
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      this.#logger.debug({ script: script.name }, "script loaded");
      return this.#send("eval", [script.text, keys.length, ...keys, ...args]);
    }
  }

  /** The strings of the reply stay Buffers. */
  #send(name: string, args: Argument[]): Promise<unknown> {
    const command = new Command(name, args, { replyEncoding: null });
    this.connection.sendCommand(command);
    return command.promise;
  }

  /** @throws STORE_UNAVAILABLE, STORE_FULL */
  async guard<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      return await call();
    } catch (error) {
      throw fromRedisError(error) ?? error;
    }
  }
}
