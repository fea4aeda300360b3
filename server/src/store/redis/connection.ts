/**
 * The connection to Redis, and the rule that no call waits for ever: each has a deadline, a call that was sent when the
 * connection broke fails at once with an unknown effect, and while there is no connection calls wait for a short grace,
 * then fail without effect. Nothing is sent twice behind our back: a claim that ran twice would lease twice.
 */
import { Cluster, Command, Redis, type RedisOptions } from "ioredis";
import { storeUnavailable } from "../../domain/errors.ts";
import type { Logger } from "../../observe/logger.ts";
import { type Address, describeAddress } from "./address.ts";
import { Deadlines } from "./deadlines.ts";
import { isNoScript, toTaskwireError } from "./errors.ts";
import type { Argument, Script } from "./script.ts";
import { WireCommand } from "./wire.ts";

/** Bulk strings come as buffers, numbers as numbers. */
export type Reply = Buffer | number | null | readonly Reply[];

/** How long a call may wait for its answer. */
const CALL_MS = 5_000;
/** How long a call may wait for a connection: long enough for a reconnect to the same server. */
const GRACE_MS = 300;
/** How long WAIT may wait for replicas. */
const REPLICAS_MS = 2_000;

interface Waiting {
  readonly since: number;
  readonly go: () => void;
  readonly fail: (error: Error) => void;
}

export interface ConnectionOptions {
  readonly address: Address;
  readonly minReplicas: number;
  readonly scripts: readonly Script[];
  readonly logger: Logger;
  readonly onAvailable: (isAvailable: boolean) => void;
}

export class Connection {
  readonly client: Redis | Cluster;
  readonly #options: ConnectionOptions;
  readonly #deadlines = new Deadlines(CALL_MS);
  #waiting: Waiting[] = [];
  #isOpen = false;
  #isAvailable = false;
  #isClosing = false;
  #lastError = "";

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.client = createClient(options.address);
    this.client.on("error", (error: Error) => this.#onError(error));
    this.client.on("ready", () => void this.#onReady());
    this.client.on("close", () => this.#onClose());
  }

  /** Rejects when the server cannot be used. */
  async open(): Promise<void> {
    try {
      await this.#open();
      this.#isOpen = true;
    } catch (cause) {
      // The driver's own words are "Connection is closed": why, it has told beside.
      throw this.#lastError === "" ? cause : new Error(this.#lastError, { cause });
    }
  }

  async #open(): Promise<void> {
    const opened = this.client.connect();
    // The deadline may win the race below; the later rejection must not go unhandled.
    opened.catch(() => undefined);
    await this.#deadlines.limit(opened);
    if (this.client instanceof Cluster) {
      await this.#deadlines.limit(Promise.all(this.client.nodes("master").map((node) => node.ping())));
    } else {
      // The driver selects it, too, and goes on in database 0 when there is none of that number.
      await this.#deadlines.limit(this.client.select(this.#options.address.db));
    }
    await this.#loadScripts();
  }

  close(): void {
    this.#isClosing = true;
    this.client.disconnect();
    this.#deadlines.close();
  }

  get isAvailable(): boolean {
    return this.client.status === "ready";
  }

  /** Runs a script. Calls for one key are run in the order in which they were made. */
  async run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    if (!this.isAvailable || this.#waiting.length > 0) await this.#ready();
    try {
      return await this.#send(script, keys, args);
    } catch (error) {
      throw toTaskwireError(error);
    }
  }

  /** Runs a plain command without keys, or with a single first one. */
  async command(name: string, ...args: readonly Argument[]): Promise<Reply> {
    if (!this.isAvailable || this.#waiting.length > 0) await this.#ready();
    try {
      return await this.#deadlines.limit(this.#call(name, args));
    } catch (error) {
      throw toTaskwireError(error);
    }
  }

  async #send(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    try {
      return await this.#deadlines.limit(this.#evaluate(script, "evalsha", keys, args));
    } catch (error) {
      // The server forgot its scripts, as after a restart.
      if (!isNoScript(error)) throw error;
      return await this.#deadlines.limit(this.#evaluate(script, "eval", keys, args));
    }
  }

  #evaluate(
    script: Script,
    name: "eval" | "evalsha",
    keys: readonly string[],
    args: readonly Argument[],
  ): Promise<Reply> {
    const text = name === "eval" ? script.source : script.sha;
    if (!script.isReadOnly && this.#options.minReplicas > 0)
      return this.#callAndWait(name, [text, keys.length, ...keys, ...args]);
    // ioredis types every answer as anything.
    return this.client.sendCommand(new WireCommand(name, text, keys, args)) as Promise<Reply>;
  }

  #call(name: string, args: readonly Argument[]): Promise<Reply> {
    // ioredis types a command's arguments as any mutable list, and its answer as anything.
    const command = new Command(name, args as Argument[], { replyEncoding: null });
    return this.client.sendCommand(command) as Promise<Reply>;
  }

  /** WAIT counts the writes of its own connection: a pipeline keeps both on one node. */
  async #callAndWait(name: "eval" | "evalsha", args: readonly Argument[]): Promise<Reply> {
    const { minReplicas } = this.#options;
    const pipeline = this.client.pipeline();
    pipeline.callBuffer(name, ...args);
    pipeline.call("WAIT", minReplicas, REPLICAS_MS);
    const answers = await pipeline.exec();
    const [error, reply] = answers?.[0] ?? [new Error("no answer")];
    if (error) throw error;
    if (Number(answers?.[1]?.[1]) < minReplicas) {
      throw storeUnavailable(`fewer than ${minReplicas} replicas have the write`, "unknown");
    }
    // Raw replies: callBuffer asks for buffers.
    return reply as Reply;
  }

  #ready(): Promise<void> {
    if (this.#isClosing) return Promise.reject(storeUnavailable("the store is closed", "none"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ since: performance.now(), go: resolve, fail: reject });
      if (this.#waiting.length === 1) this.#armGrace();
    });
  }

  #armGrace(): void {
    const first = this.#waiting[0];
    if (!first) return;
    setTimeout(() => this.#endGrace(), Math.max(1, first.since + GRACE_MS - performance.now()));
  }

  #endGrace(): void {
    const over = performance.now() - GRACE_MS;
    while (this.#waiting[0] && this.#waiting[0].since <= over) {
      this.#waiting.shift()?.fail(storeUnavailable(this.#lastError || "not connected", "none"));
    }
    this.#armGrace();
  }

  async #onReady(): Promise<void> {
    // A server that was restarted knows no scripts; loading them first keeps the order of the calls that follow.
    await this.#loadScripts().catch(() => undefined);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { go } of waiting) go();
    this.#lastError = "";
    if (this.#isAvailable) return;
    this.#isAvailable = true;
    this.#options.onAvailable(true);
  }

  async #loadScripts(): Promise<void> {
    const nodes = this.client instanceof Cluster ? this.client.nodes("master") : [this.client];
    const loads = nodes.flatMap((node) => this.#options.scripts.map((script) => node.script("LOAD", script.source)));
    await this.#deadlines.limit(Promise.all(loads));
  }

  #onClose(): void {
    if (!this.#isAvailable) return;
    this.#isAvailable = false;
    if (!this.#isClosing) this.#options.onAvailable(false);
  }

  #onError(error: Error): void {
    const reason = reasonOf(error);
    if (reason === this.#lastError) return;
    this.#lastError = reason;
    // Until it is open, whoever opens it says what is wrong.
    if (!this.#isOpen) return;
    this.#options.logger.warn({ reason, redis: describeAddress(this.#options.address) }, "redis connection failed");
  }
}

/** What is wrong, in words that stay the same while it is: a cluster has them from a node, sentinels count their tries. */
function reasonOf(error: Error): string {
  const { lastNodeError } = error as { lastNodeError?: unknown };
  const { message } = lastNodeError instanceof Error ? lastNodeError : error;
  return message.replace(/ Retrying from scratch after \d+ms\./, "");
}

function createClient(address: Address): Redis | Cluster {
  if (address.kind !== "cluster") return createRedis(address, 0);
  return new Cluster([...address.nodes], {
    lazyConnect: true,
    enableOfflineQueue: false,
    // These two would run a script again that may have run.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshInterval: 5_000,
    clusterRetryStrategy: (times) => Math.min(100 * times, 1_000),
    redisOptions: optionsFor(address),
  });
}

/**
 * A client that only subscribes. What is published at one node of a cluster is heard at all: it listens at one of them,
 * and at the next when that is gone. (A subscribed Cluster client would connect again without a pause, thousands of
 * times a second, while none of its nodes can be reached.)
 */
export function createListener(address: Address): Redis {
  if (address.kind !== "cluster") return createRedis(address, 0);
  let current = Math.floor(Math.random() * address.nodes.length);
  const client = createRedis(address, current);
  client.options.retryStrategy = (times) => {
    current = (current + 1) % address.nodes.length;
    Object.assign(client.options, address.nodes[current]);
    return retryDelayMs(times);
  };
  return client;
}

/** Connects to one server: of a cluster the node at `index`, of sentinels the master that they name. */
function createRedis(address: Address, index: number): Redis {
  const { kind, nodes, db, master } = address;
  // A queue of calls in the driver would grow without bound while the server is away.
  const single = { ...optionsFor(address), enableOfflineQueue: false };
  if (kind === "sentinel") return new Redis({ ...single, sentinels: [...nodes], name: master });
  const { host, port } = nodes[index] ?? { host: "127.0.0.1", port: 6_379 };
  return new Redis({ ...single, host, port, db });
}

function optionsFor({ username, password, tls }: Address) {
  return {
    lazyConnect: true,
    // A claim that the server ran already must not be sent again.
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // Rejects what was under way as soon as the connection breaks.
    maxRetriesPerRequest: 0,
    connectTimeout: CALL_MS,
    protocol: 2,
    retryStrategy: retryDelayMs,
    // After a failover the old master answers READONLY: the new one is found by connecting again.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  } satisfies RedisOptions;
}

function retryDelayMs(times: number): number {
  return Math.min(50 * 2 ** Math.min(times - 1, 5), 1_000) * (0.75 + Math.random() / 2);
}
