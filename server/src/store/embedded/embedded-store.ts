/**
 * The store that needs nothing installed: its state is in memory, and every change is on disk, in an LMDB file, before it is
 * acknowledged. One process at a time has it. README.md tells what is written and why.
 */
import { stat } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CannotStart } from "../../domain/cannot-start.ts";
import { storeUnavailable } from "../../domain/errors.ts";
import { newBrokerId } from "../../domain/ids.ts";
import type { Lease } from "../../domain/lease.ts";
import { hasEnded } from "../../domain/state.ts";
import type { Logger } from "../../observe/logger.ts";
import type {
  Cancelled,
  ClaimLimit,
  DeadMove,
  Durability,
  Enqueued,
  FailureGroup,
  Grant,
  LeasedTask,
  ListPage,
  ListQuery,
  NewTask,
  Producer,
  Promotion,
  QueuePolicy,
  QueueStats,
  Sample,
  Settled,
  Settlement,
  Store,
  StoreEvents,
  StoreOptions,
  TaskSnapshot,
  WorkerRecord,
} from "../store.ts";
import { CancelCall } from "./cancel-call.ts";
import { CleanCall } from "./clean-call.ts";
import { DeadCall } from "./dead-call.ts";
import { EnqueueCall } from "./enqueue-call.ts";
import { findLeased, findTask } from "./find.ts";
import { listTasks } from "./list.ts";
import { OpenFolder } from "./open-folder.ts";
import { placeInLine } from "./position.ts";
import type { Queue } from "./queue.ts";
import { newSampleQueue, readSamples, SampleCall } from "./samples.ts";
import { SettleCall } from "./settle-call.ts";
import { statsOf } from "./stats.ts";
import { SteerCall } from "./steer-call.ts";
import { waitForEnd } from "./wait-for-end.ts";
import { WorkerList } from "./worker-list.ts";

export interface EmbeddedStoreOptions extends StoreOptions {
  readonly dir: string;
  readonly logger: Logger;
  /** Refuse to start if the store promises less. Not checked when missing. */
  readonly requireDurability?: Durability;
}

export function createEmbeddedStore(options: EmbeddedStoreOptions): Store {
  return new EmbeddedStore(options);
}

class EmbeddedStore implements Store {
  readonly description: string;
  readonly durability = "fsync";
  brokerId = newBrokerId();
  readonly #options: EmbeddedStoreOptions;
  readonly #workers = new WorkerList();
  #samples = newSampleQueue();
  #folder: OpenFolder | undefined;

  constructor(options: EmbeddedStoreOptions) {
    this.#options = options;
    this.description = `embedded store in ${options.dir}`;
  }

  async start(events: StoreEvents): Promise<void> {
    if (this.#options.requireDurability === "replicated")
      throw new CannotStart(
        "the embedded store keeps tasks on one disk (durability fsync), but replicated is required: use redis with replicas, " +
          "or require no more than fsync",
      );
    if (this.#folder) return;
    // Leases are counted from 1 again, so their broker must be another.
    this.brokerId = newBrokerId();
    this.#samples = newSampleQueue();
    this.#folder = await OpenFolder.open({ ...this.#options, brokerId: this.brokerId, events });
  }

  async stop(): Promise<void> {
    const folder = this.#folder;
    this.#folder = undefined;
    await folder?.close();
  }

  get #open(): OpenFolder {
    if (!this.#folder) throw storeUnavailable(new Error("the store is not open"), "none");
    return this.#folder;
  }

  async enqueue(name: string, tasks: readonly NewTask[], producer?: Producer): Promise<readonly Enqueued[]> {
    const { parts, journal } = this.#open;
    const queue = parts.registry.getOrCreate(name);
    return new Promise((resolve, reject) => {
      journal.submit(new EnqueueCall(parts, { queue, tasks, producer, resolve, reject }));
    });
  }

  async claim(name: string, limit: ClaimLimit): Promise<readonly Grant[]> {
    const { claimer } = this.#open;
    return this.#read(name, [], (queue) => claimer.claim(queue, limit));
  }

  async settle(name: string, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    const { parts, journal } = this.#open;
    const queue = parts.registry.get(name);
    if (!queue) return settlements.map(() => "stale");
    return new Promise((resolve, reject) => {
      journal.submit(new SettleCall(parts, { queue, settlements, resolve, reject }));
    });
  }

  async promote(name: string, max: number): Promise<Promotion> {
    const { events } = this.#open.parts;
    return this.#read(name, { promoted: 0, nextInMs: undefined }, (queue) => {
      const nowMs = Date.now();
      const wasEmpty = queue.gauges.ready === 0;
      const promoted = queue.promote(max, nowMs);
      if (wasEmpty && promoted > 0) events.ready(name);
      const { nextDueAtMs } = queue;
      return { promoted, nextInMs: nextDueAtMs === undefined ? undefined : Math.max(0, nextDueAtMs - nowMs) };
    });
  }

  async cancel(name: string, key: string, reason: string): Promise<Cancelled> {
    const { parts, journal } = this.#open;
    const queue = parts.registry.get(name);
    if (!queue) return { kind: "missing" };
    return new Promise((resolve, reject) => {
      journal.submit(new CancelCall(parts, { queue, key, reason, resolve, reject }));
    });
  }

  async revive(name: string, keys: readonly string[]): Promise<readonly DeadMove[]> {
    return this.#moveDead("revive", name, keys);
  }

  async deleteDead(name: string, keys: readonly string[]): Promise<readonly DeadMove[]> {
    return this.#moveDead("delete", name, keys);
  }

  async #moveDead(verb: "revive" | "delete", name: string, keys: readonly string[]): Promise<readonly DeadMove[]> {
    const { parts, journal } = this.#open;
    const queue = parts.registry.get(name);
    if (!queue) return keys.map(() => "missing");
    return new Promise((resolve, reject) => {
      journal.submit(new DeadCall(parts, { verb, queue, keys, resolve, reject }));
    });
  }

  async list(name: string, query: ListQuery): Promise<ListPage> {
    const { parts } = this.#open;
    const page = await this.#read(name, NO_PAGE, (queue) => listTasks(parts, queue, query));
    // Who goes on at once from a page that took long must let others have their turn.
    if (page.next !== undefined && page.tasks.length < query.limit) await nextTurn();
    return page;
  }

  async position(name: string, key: string): Promise<number | undefined> {
    const { database } = this.#open.parts;
    return this.#read(name, undefined, (queue) => placeInLine(database, queue, key));
  }

  async failureGroups(name: string): Promise<readonly FailureGroup[]> {
    return this.#read(name, [], (queue) => queue.dead.groups);
  }

  async steer(name: string, change: Partial<QueuePolicy>): Promise<QueuePolicy> {
    const { parts, journal } = this.#open;
    const queue = parts.registry.getOrCreate(name);
    return new Promise((resolve, reject) => {
      journal.submit(new SteerCall(parts, { queue, change, resolve, reject }));
    });
  }

  async find(name: string, key: string): Promise<TaskSnapshot | undefined> {
    const { database } = this.#open.parts;
    return this.#read(name, undefined, (queue) => findTask(database, queue, key));
  }

  async findLeased(lease: Lease, index: number): Promise<LeasedTask | undefined> {
    const { parts } = this.#open;
    return this.#read(lease.queue, undefined, (queue) => findLeased(parts, queue, lease, index));
  }

  async untilEnded(name: string, key: string, signal: AbortSignal): Promise<TaskSnapshot | undefined> {
    const { database } = this.#open.parts;
    signal.throwIfAborted();
    // Looking and beginning to wait are one step, so that no end falls between them.
    const look = (queue: Queue) => {
      const found = findTask(database, queue, key);
      if (!found || hasEnded(found.state)) return { found };
      return { end: waitForEnd(queue, key, signal) };
    };
    const first = await this.#read(name, { found: undefined }, look);
    if (!("end" in first)) return first.found;
    await first.end;
    return this.find(name, key);
  }

  async queues(): Promise<readonly string[]> {
    return [...this.#open.parts.registry.all()].map(({ name }) => name).sort();
  }

  async queueByTag(tag: string): Promise<string | undefined> {
    return this.#open.parts.registry.byTag(tag)?.name;
  }

  async stats(names: readonly string[]): Promise<readonly QueueStats[]> {
    // Counters change when a turn is prepared, gauges when it is published.
    const whole = { endsTurn: true };
    return Promise.all(
      names.map((name) => this.#read(name, statsOf(name, undefined), (queue) => statsOf(name, queue), whole)),
    );
  }

  async now(): Promise<number> {
    return Date.now();
  }

  async renew(): Promise<"alive" | "fenced"> {
    return "alive";
  }

  async reap(): Promise<number> {
    return 0;
  }

  async brokers(): Promise<number> {
    return 1;
  }

  async putWorkers(workers: readonly WorkerRecord[]): Promise<void> {
    this.#workers.put(workers);
  }

  async removeWorker(sessionId: string): Promise<void> {
    this.#workers.remove(sessionId);
  }

  async workers(): Promise<readonly WorkerRecord[]> {
    return this.#workers.all();
  }

  async dropOld(): Promise<void> {
    const { parts, journal } = this.#open;
    for (const queue of parts.registry.all()) {
      let hasMore = true;
      while (hasMore)
        hasMore = await new Promise<boolean>((resolve, reject) => {
          journal.submit(new CleanCall(parts, queue, resolve, reject));
        });
    }
  }

  async putSample(sample: Sample): Promise<void> {
    const { parts, journal } = this.#open;
    return new Promise((resolve, reject) => {
      journal.submit(new SampleCall(parts.database, { queue: this.#samples, sample, resolve, reject }));
    });
  }

  async samples(): Promise<readonly Sample[]> {
    const { parts, journal } = this.#open;
    return journal.read(this.#samples, () => readSamples(parts.database, Date.now()));
  }

  async usedBytes(): Promise<number> {
    return (await stat(this.#open.parts.database.path)).size;
  }

  /** Looks at a queue when it is its turn; `none` when there is no such queue. */
  #read<T>(name: string, none: T, look: (queue: Queue) => T, options?: { endsTurn: boolean }): Promise<T> {
    const { parts, journal } = this.#open;
    const queue = parts.registry.get(name);
    if (!queue) return Promise.resolve(none);
    return journal.read(queue, () => look(queue), options);
  }
}

const NO_PAGE: ListPage = { tasks: [], next: undefined };
