/** The whole port on top of the model. Several stores may share one world, as brokers share a server. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Cancelled,
  type ClaimLimit,
  type DeadMove,
  type Enqueued,
  type FailureGroup,
  type Grant,
  hasEnded,
  joinBodies,
  type Lease,
  type LeasedTask,
  type ListPage,
  type ListQuery,
  type NewTask,
  newBrokerId,
  newTaskKey,
  type Producer,
  type Promotion,
  type QueuePolicy,
  type QueueStats,
  queueTag,
  type Sample,
  type Settled,
  type Settlement,
  type Store,
  type StoreEvents,
  type StoreOptions,
  type TaskSnapshot,
  type WorkerRecord,
} from "@taskwire/server/testing";
import { type MemoryWorld, refuse } from "./memory-world.ts";
import { ModelQueue } from "./model.ts";
import { listTasks, oldestReadyAtMs, placeInLine } from "./model-list.ts";
import type { ModelTask } from "./model-task.ts";

export class MemoryStore implements Store {
  readonly description = "memory";
  readonly durability = "volatile";
  brokerId = newBrokerId();
  readonly #world: MemoryWorld;
  readonly #options: StoreOptions;
  #events: StoreEvents | undefined;
  #sequence = 0;

  constructor(world: MemoryWorld, options: StoreOptions) {
    this.#world = world;
    this.#options = options;
  }

  async start(events: StoreEvents): Promise<void> {
    this.#events = events;
    this.#world.listeners.set(events, () => this.brokerId);
    this.#world.brokers.set(this.brokerId, Date.now());
  }

  async stop(): Promise<void> {
    this.#giveAway(this.brokerId);
    if (this.#events) this.#world.listeners.delete(this.#events);
  }

  async enqueue(name: string, tasks: readonly NewTask[], producer?: Producer): Promise<readonly Enqueued[]> {
    const batch = producer && `${name} ${producer.id} ${producer.sequence}`;
    const repeated = batch && this.#world.batches.get(batch);
    if (repeated) return repeated;
    const queue = this.#world.queueFor(name, this.#options);
    const now = Date.now();
    refuse(name, queue.admit(tasks.length, now));
    const wasEmpty = queue.ready().length === 0;
    const enqueued = tasks.map((task) => {
      const { kind, entry } = queue.add(task.key ?? newTaskKey(now), task, now);
      if (entry.state === "scheduled") this.#world.tell((events) => events.scheduled(name, entry.runAtMs - now));
      return { kind, key: entry.key, state: entry.state, runAtMs: entry.runAtMs };
    });
    if (wasEmpty && queue.ready().length > 0) this.#world.tell((events) => events.ready(name));
    if (batch) this.#world.batches.set(batch, enqueued);
    return enqueued;
  }

  async claim(name: string, { maxTasks, maxBytes }: ClaimLimit): Promise<readonly Grant[]> {
    const queue = this.#world.queues.get(name);
    if (!queue || queue.policy.paused) return [];
    queue.promote(Number.POSITIVE_INFINITY, Date.now());
    const grants: Grant[] = [];
    let bytes = 0;
    for (const entry of queue.ready().slice(0, maxTasks)) {
      bytes += entry.task.body.length;
      if (grants.length > 0 && bytes > maxBytes) break;
      grants.push(this.#grant(queue, entry));
    }
    return grants;
  }

  #grant(queue: ModelQueue, entry: ModelTask): Grant {
    const { lostCount, enqueuedAtMs, task } = entry;
    const lease = {
      queue: queue.name,
      broker: this.brokerId,
      sequence: ++this.#sequence,
      block: entry.key,
      alone: true,
      attempt: entry.attempt,
    };
    queue.lease(entry, lease, Date.now());
    return {
      ...lease,
      first: 0,
      count: 1,
      bodies: joinBodies([task.body]),
      lostCount,
      enqueuedAtMs,
      runAtMs: entry.dueAtMs,
      hasOptions: task.hasOptions,
    };
  }

  async settle(name: string, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    const queue = this.#world.queues.get(name);
    const wasEmpty = queue?.ready().length === 0;
    const now = Date.now();
    const settled = settlements.map(({ lease, index, outcome }) => {
      const moved = queue?.settle(lease, index, outcome, now) ?? "stale";
      if (moved === "moved" && "delayMs" in outcome)
        this.#world.tell((events) => events.scheduled(name, outcome.delayMs));
      return moved === "stale" ? "stale" : "settled";
    });
    if (wasEmpty && queue.ready().length > 0) this.#world.tell((events) => events.ready(name));
    return settled;
  }

  async promote(name: string, max: number): Promise<Promotion> {
    const queue = this.#world.queues.get(name);
    if (!queue) return { promoted: 0, nextInMs: undefined };
    const now = Date.now();
    const promoted = queue.promote(max, now);
    if (promoted > 0) this.#world.tell((events) => events.ready(name));
    const next = Math.min(...queue.inState("scheduled").map(({ runAtMs }) => runAtMs));
    return { promoted, nextInMs: next === Number.POSITIVE_INFINITY ? undefined : Math.max(0, next - now) };
  }

  async cancel(name: string, key: string, reason: string): Promise<Cancelled> {
    const cancelled = this.#world.queues.get(name)?.cancel(key, reason, Date.now()) ?? { kind: "missing" };
    if (cancelled.kind !== "cancelled" || !cancelled.lease) return cancelled;
    const { lease, index } = cancelled;
    for (const [events, brokerId] of this.#world.listeners) {
      if (brokerId() === lease.broker) events.cancelled({ broker: lease.broker, sequence: lease.sequence }, index);
    }
    return cancelled;
  }

  async revive(name: string, keys: readonly string[]): Promise<readonly DeadMove[]> {
    const moves = this.#world.queues.get(name)?.revive(keys, Date.now()) ?? keys.map(() => "missing" as const);
    if (moves.includes("done")) this.#world.tell((events) => events.ready(name));
    return moves;
  }

  async deleteDead(name: string, keys: readonly string[]): Promise<readonly DeadMove[]> {
    return this.#world.queues.get(name)?.deleteDead(keys) ?? keys.map(() => "missing");
  }

  async list(name: string, query: ListQuery): Promise<ListPage> {
    return listTasks(this.#world.queues.get(name) ?? new ModelQueue(name), query);
  }

  async position(name: string, key: string): Promise<number | undefined> {
    const queue = this.#world.queues.get(name);
    return queue && placeInLine(queue, key);
  }

  async failureGroups(name: string): Promise<readonly FailureGroup[]> {
    return this.#world.queues.get(name)?.failureGroups() ?? [];
  }

  async steer(name: string, change: Partial<QueuePolicy>): Promise<QueuePolicy> {
    const queue = this.#world.queueFor(name, this.#options);
    const wasPaused = queue.policy.paused;
    const policy = queue.steer(change);
    if (wasPaused && !policy.paused) this.#world.tell((events) => events.ready(name));
    return policy;
  }

  async find(name: string, key: string): Promise<TaskSnapshot | undefined> {
    return this.#world.queues.get(name)?.snapshot(key);
  }

  async findLeased(lease: Lease, index: number): Promise<LeasedTask | undefined> {
    const entry = this.#world.queues.get(lease.queue)?.leased(lease, index);
    if (entry?.state !== "active") return undefined;
    const { task, attempt, lostCount } = entry;
    return { body: task.body, attempt, lostCount, hasOptions: task.hasOptions };
  }

  async untilEnded(queue: string, key: string, signal: AbortSignal): Promise<TaskSnapshot | undefined> {
    for (;;) {
      signal.throwIfAborted();
      const found = await this.find(queue, key);
      if (!found || hasEnded(found.state)) return found;
      // The abort is thrown at the head of the loop, with its own reason.
      await sleep(1, undefined, { signal }).catch(() => undefined);
    }
  }

  async queues(): Promise<readonly string[]> {
    return [...this.#world.queues.keys()].sort();
  }

  async queueByTag(tag: string): Promise<string | undefined> {
    return [...this.#world.queues.keys()].find((name) => queueTag(name) === tag);
  }

  async stats(names: readonly string[]): Promise<readonly QueueStats[]> {
    return names.map((name) => {
      const queue = this.#world.queues.get(name) ?? new ModelQueue(name);
      return {
        queue: name,
        counters: queue.counters(),
        policy: queue.policy,
        oldestReadyAtMs: oldestReadyAtMs(queue),
        enqueuedByType: new Map(queue.byType),
      };
    });
  }

  async now(): Promise<number> {
    return Date.now();
  }

  async renew(): Promise<"alive" | "fenced"> {
    const isKnown = this.#world.brokers.has(this.brokerId);
    if (!isKnown) this.brokerId = newBrokerId();
    this.#world.brokers.set(this.brokerId, Date.now());
    return isKnown ? "alive" : "fenced";
  }

  async reap(): Promise<number> {
    let reaped = 0;
    for (const broker of this.#world.brokers.keys()) {
      if (!this.#isAlive(broker)) reaped += this.#giveAway(broker);
    }
    return reaped;
  }

  #isAlive(broker: string): boolean {
    return Date.now() - (this.#world.brokers.get(broker) ?? 0) <= this.#options.brokerTimeoutMs;
  }

  #giveAway(broker: string): number {
    let count = 0;
    for (const queue of this.#world.queues.values()) {
      const held = queue.inState("active").filter(({ lease }) => lease?.broker === broker);
      for (const { lease } of held) if (lease) queue.settle(lease, 0, { kind: "lose", failure: undefined }, Date.now());
      if (held.length > 0) this.#world.tell((events) => events.ready(queue.name));
      count += held.length;
    }
    this.#world.brokers.delete(broker);
    return count;
  }

  async brokers(): Promise<number> {
    return [...this.#world.brokers.keys()].filter((broker) => this.#isAlive(broker)).length;
  }

  async putWorkers(workers: readonly WorkerRecord[]): Promise<void> {
    for (const worker of workers) this.#world.workers.set(worker.sessionId, worker);
  }

  async removeWorker(sessionId: string): Promise<void> {
    this.#world.workers.delete(sessionId);
  }

  async workers(): Promise<readonly WorkerRecord[]> {
    return [...this.#world.workers.values()];
  }

  async dropOld(): Promise<void> {
    this.#world.dropOld(this.#options, Date.now());
  }

  async putSample(sample: Sample): Promise<void> {
    this.#world.putSample(sample, Date.now());
  }

  async samples(): Promise<readonly Sample[]> {
    return this.#world.samples(Date.now());
  }

  async usedBytes(): Promise<number> {
    return this.#world.usedBytes();
  }
}
