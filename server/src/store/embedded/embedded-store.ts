/**
 * The store that needs nothing installed: its state is in memory, and every change is on disk, in an LMDB file, before it is
 * acknowledged. One process at a time has it. README.md tells what is written and why.
 */
import { CannotStart } from "../../domain/cannot-start.ts";
import { storeUnavailable } from "../../domain/errors.ts";
import { newBrokerId } from "../../domain/ids.ts";
import type { Lease } from "../../domain/lease.ts";
import { hasEnded } from "../../domain/state.ts";
import type { Logger } from "../../observe/logger.ts";
import type {
  ClaimLimit,
  Durability,
  Enqueued,
  Grant,
  LeasedTask,
  NewTask,
  Producer,
  Promotion,
  QueueStats,
  Settled,
  Settlement,
  Store,
  StoreEvents,
  StoreOptions,
  TaskSnapshot,
  WorkerRecord,
} from "../store.ts";
import { CleanCall } from "./clean-call.ts";
import { EnqueueCall } from "./enqueue-call.ts";
import { findLeased, findTask } from "./find.ts";
import { OpenFolder } from "./open-folder.ts";
import type { Queue } from "./queue.ts";
import { SettleCall } from "./settle-call.ts";
import { statsOf } from "./stats.ts";
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
    return Promise.all(
      names.map((name) => this.#read(name, statsOf(name, undefined), (queue) => statsOf(name, queue))),
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

  async dropOldResults(): Promise<void> {
    const { parts, journal } = this.#open;
    for (const queue of parts.registry.all()) {
      let hasMore = true;
      while (hasMore)
        hasMore = await new Promise<boolean>((resolve, reject) => {
          journal.submit(new CleanCall(parts, queue, resolve, reject));
        });
    }
  }

  /** Looks at a queue when it is its turn; `none` when there is no such queue. */
  #read<T>(name: string, none: T, look: (queue: Queue) => T): Promise<T> {
    const { parts, journal } = this.#open;
    const queue = parts.registry.get(name);
    if (!queue) return Promise.resolve(none);
    return journal.read(queue, () => look(queue));
  }
}

/** Resolves when the task has ended; rejects when the signal is aborted first. */
function waitForEnd({ waiting }: Queue, key: string, signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const others = waiting.get(key) ?? new Set();
    waiting.set(key, others);
    const leave = () => {
      others.delete(end);
      if (others.size === 0 && waiting.get(key) === others) waiting.delete(key);
      signal.removeEventListener("abort", abort);
    };
    const end = () => {
      leave();
      resolve();
    };
    const abort = () => {
      leave();
      reject(signal.reason);
    };
    others.add(end);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
}
