/** The store on Redis: the verbs of the port, each handed to the part that does it. README.md describes the data. */
import { newBrokerId, queueTag } from "../../domain/ids.ts";
import { TaskwireError } from "../../domain/errors.ts";
import type { Lease } from "../../domain/lease.ts";
import type { Logger } from "../../observe/logger.ts";
import type { ClaimLimit, Durability, NewTask, Producer, Promotion, Settlement, Store, StoreEvents, StoreOptions, WorkerRecord } from "../store.ts";
import { checkServers } from "./boot-check.ts";
import { Brokers } from "./brokers.ts";
import { StoreClock } from "./clock.ts";
import { Commands, createConnections, type RedisConnection } from "./connection.ts";
import { type Context, SCRIPTS, scriptKeys } from "./context.ts";
import { findLeasedTask, findSnapshot } from "./find.ts";
import { Keys } from "./keys.ts";
import { Lane } from "./lane.ts";
import { OwnLeases } from "./own-leases.ts";
import { readStats } from "./stats.ts";
import { waitUntilEnded } from "./until-ended.ts";
import { Wakeups } from "./wakeups.ts";

export interface RedisStoreOptions extends StoreOptions {
  readonly url: string;
  /** Prefix of all keys: brokers with the same one share their queues. */
  readonly namespace: string;
  readonly requireDurability: Durability;
  /** How many replicas must have a write before it is answered. */
  readonly minReplicas: number;
  readonly logger: Logger;
}

const WORKER_TTL_MS = 60_000;

export function createRedisStore(options: RedisStoreOptions): Store {
  return new RedisStore(options);
}

class RedisStore implements Store {
  readonly description: string;
  durability: Durability = "volatile";
  brokerId = newBrokerId();
  readonly #options: RedisStoreOptions;
  readonly #context: Context;
  readonly #connection: RedisConnection;
  readonly #leases = new OwnLeases();
  readonly #lanes = new Map<string, Lane>();
  readonly #registered = new Set<string>();
  readonly #queueByTag = new Map<string, string>();
  readonly #brokers: Brokers;
  #events: StoreEvents = { ready() {}, scheduled() {}, available() {} };
  #isOpen = false;

  constructor(options: RedisStoreOptions) {
    const { url, namespace, minReplicas, logger } = options;
    this.#options = options;
    this.description = `redis ${url.replace(/\/\/[^@/]*@/, "//")}, namespace ${namespace}`;
    const { commands: connection, subscriptions } = createConnections(url);
    this.#connection = connection;
    const commands = new Commands(connection, minReplicas, logger);
    const keys = new Keys(namespace);
    const wakeups = new Wakeups(commands, subscriptions, keys, logger);
    const clock = new StoreClock();
    this.#context = { commands, keys, clock, wakeups, options, logger, events: () => this.#events, brokerId: () => this.brokerId };
    this.#brokers = new Brokers(this.#context, () => this.queues());
  }

  async start(events: StoreEvents): Promise<void> {
    let refusal: unknown;
    this.#connection.on("error", (err: unknown) => {
      refusal = err;
      this.#options.logger.debug({ err }, "connection to redis");
    });
    try {
      await this.#connection.connect();
      this.durability = await checkServers(this.#connection, this.#options);
      await this.#context.wakeups.start(() => this.brokerId, (queue) => this.#events.ready(queue));
      await this.#brokers.renew("new");
    } catch (cause) {
      this.#close();
      const reason = refusal instanceof Error && cause instanceof Error && /closed|all keys|startup nodes/i.test(cause.message) ? refusal : cause;
      throw new Error(`cannot use ${this.description}: ${reason instanceof Error ? reason.message : String(reason)}`, { cause });
    }
    this.#events = events;
    this.#isOpen = true;
    this.#connection.on("close", () => this.#tellAvailable(false));
    this.#connection.on("ready", () => this.#tellAvailable(true));
  }

  #tellAvailable(isAvailable: boolean): void {
    if (!this.#isOpen) return;
    this.#options.logger.warn({ store: this.description }, isAvailable ? "redis is back" : "redis is away");
    this.#events.available(isAvailable);
  }

  async stop(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const { commands, keys } = this.#context;
    try {
      await this.#brokers.giveAway(this.brokerId);
      await commands.guard(() => commands.connection.zrem(keys.global("brokers"), this.brokerId));
    } catch (err) {
      this.#options.logger.warn({ err }, "the other brokers will give away what this one leased");
    }
    this.#close();
  }

  #close(): void {
    this.#context.wakeups.stop();
    this.#connection.disconnect();
  }

  #lane(queue: string): Lane {
    let lane = this.#lanes.get(queue);
    if (!lane) {
      lane = new Lane(this.#context, queue, this.#leases);
      this.#lanes.set(queue, lane);
    }
    return lane;
  }

  enqueue(queue: string, tasks: readonly NewTask[], producer?: Producer) {
    const lane = this.#lane(queue);
    if (this.#registered.has(queue)) return lane.enqueue(tasks, producer);
    return this.#register(queue).then(() => lane.enqueue(tasks, producer));
  }

  async #register(queue: string): Promise<void> {
    const { commands, keys, options } = this.#context;
    const tag = queueTag(queue);
    const answer = String(await commands.run(SCRIPTS.register, [keys.global("queues")], [tag, queue, options.maxQueues]));
    if (answer === "full") {
      const message = `there are ${options.maxQueues} queues already, so ${JSON.stringify(queue)} cannot be a new one (TASKWIRE_MAX_QUEUES)`;
      throw new TaskwireError("TOO_MANY_QUEUES", message, { metadata: { queue } });
    }
    if (answer === "taken") throw new TaskwireError("INVALID_ARGUMENT", `the name ${JSON.stringify(queue)} shares its tag with another queue: choose another name`);
    this.#registered.add(queue);
    this.#queueByTag.set(tag, queue);
  }

  claim(queue: string, limit: ClaimLimit) {
    return this.#lane(queue).claim(limit);
  }

  settle(queue: string, settlements: readonly Settlement[]) {
    return settlements.length === 0 ? Promise.resolve([]) : this.#lane(queue).settle(settlements);
  }

  async promote(queue: string, max: number): Promise<Promotion> {
    const { commands, keys } = this.#context;
    const args = [keys.readyChannel, `${this.brokerId} ${queue}`, Math.min(max, 1_000)];
    // As the script's header says.
    const reply = (await commands.run(SCRIPTS.promote, scriptKeys(this.#context, SCRIPTS.promote, queue, this.brokerId), args)) as [number, number | Buffer, number];
    const [promoted, next, woke] = reply;
    if (woke === 1) this.#events.ready(queue);
    return { promoted, nextInMs: typeof next === "number" ? next : undefined };
  }

  find(queue: string, key: string) {
    return findSnapshot(this.#context, queue, key);
  }

  findLeased(lease: Lease, index: number) {
    return findLeasedTask(this.#context, lease, index);
  }

  untilEnded(queue: string, key: string, signal: AbortSignal) {
    return waitUntilEnded(this.#context, queue, key, signal);
  }

  async queues(): Promise<readonly string[]> {
    const { commands, keys } = this.#context;
    const byTag = await commands.guard(() => commands.connection.hgetall(keys.global("queues")));
    for (const [tag, queue] of Object.entries(byTag)) this.#queueByTag.set(tag, queue);
    // A Redis that was rolled back has forgotten queues: they are registered again at their next enqueue.
    for (const queue of this.#registered) if (byTag[queueTag(queue)] !== queue) this.#registered.delete(queue);
    return Object.values(byTag).sort();
  }

  async queueByTag(tag: string): Promise<string | undefined> {
    const known = this.#queueByTag.get(tag);
    if (known !== undefined) return known;
    const { commands, keys } = this.#context;
    const queue = await commands.guard(() => commands.connection.hget(keys.global("queues"), tag));
    if (queue === null) return undefined;
    this.#queueByTag.set(tag, queue);
    return queue;
  }

  stats(queues: readonly string[]) {
    return Promise.all(queues.map((queue) => readStats(this.#context, queue)));
  }

  async now(): Promise<number> {
    const { commands } = this.#context;
    const [seconds, micros] = await commands.guard(() => commands.connection.time());
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  }

  async renew(): Promise<"alive" | "fenced"> {
    if ((await this.#brokers.renew("known")) === "alive") return "alive";
    this.#leases.clear();
    this.brokerId = newBrokerId();
    await this.#brokers.renew("new");
    return "fenced";
  }

  reap(): Promise<number> {
    return this.#brokers.reap();
  }

  brokers(): Promise<number> {
    const { commands, keys } = this.#context;
    return commands.guard(() => commands.connection.zcard(keys.global("brokers")));
  }

  async putWorkers(workers: readonly WorkerRecord[]): Promise<void> {
    const { commands, keys, clock } = this.#context;
    const until = clock.nowMs() + WORKER_TTL_MS;
    const fields = workers.flatMap((worker) => [worker.sessionId, `${until} ${JSON.stringify(worker)}`]);
    if (fields.length > 0) await commands.guard(() => commands.connection.hset(keys.global("workers"), ...fields));
  }

  async removeWorker(sessionId: string): Promise<void> {
    const { commands, keys } = this.#context;
    await commands.guard(() => commands.connection.hdel(keys.global("workers"), sessionId));
  }

  async workers(): Promise<readonly WorkerRecord[]> {
    const { commands, keys, clock } = this.#context;
    const bySession = await commands.guard(() => commands.connection.hgetall(keys.global("workers")));
    const live: WorkerRecord[] = [];
    const gone: string[] = [];
    for (const [session, text] of Object.entries(bySession)) {
      const space = text.indexOf(" ");
      // Only putWorkers writes these.
      if (Number(text.slice(0, space)) > clock.nowMs()) live.push(JSON.parse(text.slice(space + 1)) as WorkerRecord);
      else gone.push(session);
    }
    if (gone.length > 0) await commands.guard(() => commands.connection.hdel(keys.global("workers"), ...gone));
    return live;
  }

  async dropOldResults(): Promise<void> {
    const { commands, options } = this.#context;
    const args = [options.resultTtlMs, options.maxResultsPerQueue];
    for (const queue of await this.queues()) await commands.run(SCRIPTS.dropOld, scriptKeys(this.#context, SCRIPTS.dropOld, queue, this.brokerId), args);
  }
}

