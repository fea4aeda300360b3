/**
 * One walk: the same steps on real stores and on the model, compared after each. The model is told the keys that the store
 * made, and which of the allowed tasks a claim took; everything else it foretells.
 */
import type { Enqueued, Lease, NewTask, Outcome, Producer, Settlement, Store } from "@taskwire/server/testing";
import { expect } from "vitest";
import { until } from "../support/until.ts";
import { ModelQueue } from "./model.ts";
import type { ModelTask } from "./model-task.ts";
import { ack, claim, claimAll, counters, type Held } from "./tasks.ts";

/** Delays up to this are waited for; longer ones never end within a walk. */
const SOON_MS = 1_000;

export interface Pick {
  /** Counted modulo what there is. */
  readonly nth: number;
  readonly from: "active" | "all";
  /** A change that makes the lease wrong. */
  readonly forged: Partial<Lease>;
  readonly outcome: Outcome;
}

interface Batch {
  readonly tasks: readonly NewTask[];
  readonly producer: Producer;
  readonly answer: readonly Enqueued[];
}

export class Walk {
  readonly #stores: readonly Store[];
  readonly #queue: string;
  readonly #model: ModelQueue;
  readonly #batches: Batch[] = [];
  readonly #held: Held[] = [];

  constructor(stores: readonly Store[], queue: string) {
    this.#stores = stores;
    this.#queue = queue;
    this.#model = new ModelQueue(queue);
  }

  async enqueue(by: number, tasks: readonly NewTask[], producerId: string): Promise<void> {
    await this.#untilSettled();
    const producer = { id: producerId, sequence: this.#batches.length + 1 };
    const answer = await this.#store(by).enqueue(this.#queue, tasks, producer);
    this.#batches.push({ tasks, producer, answer });
    expect(answer).toHaveLength(tasks.length);
    for (const [i, task] of tasks.entries()) {
      const told = answer[i];
      if (!told) continue;
      if (task.key === undefined) expect(this.#model.tasks.has(told.key), `${told.key} is new`).toBe(false);
      else expect(told.key).toBe(task.key);
      const { kind, entry } = this.#model.add(told.key, task, told.runAtMs - task.delayMs);
      expect({ kind: told.kind, state: told.state }).toEqual({ kind, state: entry.state });
    }
  }

  /** Sends a batch again that was sent before. */
  async replay(by: number, nth: number): Promise<void> {
    const batch = nthOf(this.#batches.slice(-64), nth);
    if (!batch) return;
    const answer = await this.#store(by).enqueue(this.#queue, batch.tasks, batch.producer);
    const identity = ({ kind, key }: Enqueued) => ({ kind, key });
    expect(answer.map(identity)).toEqual(batch.answer.map(identity));
  }

  async claim(by: number, maxTasks: number, maxBytes: number): Promise<void> {
    await this.#untilSettled();
    const held = await claim(this.#store(by), { queue: this.#queue, maxTasks, maxBytes });
    this.#checkClaim(held, maxTasks, maxBytes);
    this.#lease(held);
  }

  #checkClaim(held: readonly Held[], maxTasks: number, maxBytes: number): void {
    const ready = this.#model.ready();
    const readyBytes = ready.reduce((sum, { task }) => sum + task.body.length, 0);
    if (readyBytes <= maxBytes) expect(held.length, "takes what there is").toBe(Math.min(maxTasks, ready.length));
    const bytes = held.reduce((sum, { body }) => sum + body.length, 0);
    if (held.length > 1) expect(bytes, "takes no more bytes than asked for").toBeLessThanOrEqual(maxBytes);
    if (ready.length > 0) expect(held.length, "takes something").toBeGreaterThan(0);
    const taken = held.map(({ key }) => this.#task(key));
    expect(new Set(taken).size, "takes no task twice").toBe(taken.length);
    for (const { state } of taken) expect(state, "takes what is ready").toBe("ready");
    const left = ready.filter((entry) => !taken.includes(entry));
    for (const line of [taken, [...taken, ...left]]) expectInOrder(line);
  }

  #lease(held: readonly Held[]): void {
    for (const { key, lease, grant, body, ...rest } of held) {
      const entry = this.#task(key);
      const { attempt, lostCount, task } = entry;
      expect({ attempt: lease.attempt, lostCount: grant.lostCount, body }).toEqual({
        attempt,
        lostCount,
        body: task.body,
      });
      if (task.hasOptions) expect(grant.hasOptions).toBe(true);
      this.#model.lease(entry, lease, 0);
      this.#held.push({ key, lease, grant, body, ...rest });
    }
  }

  async settle(by: number, picks: readonly Pick[]): Promise<void> {
    const settlements: Settlement[] = [];
    for (const { nth, from, forged, outcome } of picks) {
      const held = nthOf(from === "all" ? this.#held : this.#active(), nth);
      if (held) settlements.push({ lease: { ...held.lease, ...forged }, index: held.index, outcome });
    }
    await this.#settle(by, settlements);
  }

  /** Settles all that is leased, in one call. */
  async settleAll(by: number, outcome: Outcome): Promise<void> {
    await this.#settle(
      by,
      this.#active().map(({ lease, index }) => ({ lease, index, outcome })),
    );
  }

  async #settle(by: number, settlements: readonly Settlement[]): Promise<void> {
    const store = this.#store(by);
    const answers = await store.settle(this.#queue, settlements);
    const now = await store.now();
    expect(answers).toHaveLength(settlements.length);
    for (const [i, { lease, index, outcome }] of settlements.entries()) {
      const moved = this.#model.settle(lease, index, outcome, now);
      // Of a repeated settlement the store need not know any more that it was made; it must not count again.
      const mayForget = moved === "repeated" && outcome.kind !== "ack" && outcome.kind !== "discard";
      const expected = mayForget ? answers[i] : moved === "stale" ? "stale" : "settled";
      expect(answers[i], `settlement ${i}: ${outcome.kind} of ${lease.block}`).toBe(expected);
    }
  }

  #active(): Held[] {
    return this.#held.filter(({ key, lease }) => {
      const entry = this.#task(key);
      return (
        entry.state === "active" && entry.lease?.broker === lease.broker && entry.lease.sequence === lease.sequence
      );
    });
  }

  async promote(by: number): Promise<void> {
    await this.#untilSettled();
    const { promoted, nextInMs } = await this.#store(by).promote(this.#queue, 10);
    expect(promoted).toBe(0);
    expect(nextInMs === undefined).toBe(this.#model.inState("scheduled").length === 0);
  }

  async find(by: number, nth: number): Promise<void> {
    await this.#untilSettled();
    const entry = nthOf([...this.#model.tasks.values()], nth);
    if (entry) await this.#compare(this.#store(by), entry);
  }

  async #compare(store: Store, { key }: ModelTask): Promise<void> {
    const expected = this.#model.snapshot(key);
    const found = await store.find(this.#queue, key);
    if (!expected || !found) throw new Error(`${key} is not found`);
    const { state, attempt, lostCount, body, lastResult } = expected;
    expect(found).toMatchObject({ state, attempt, lostCount });
    expect(found.body && Buffer.from(found.body)).toEqual(body);
    expect(found.runAtMs > 0, "a run time is told of what is scheduled").toBe(state === "scheduled");
    expect({ ...found.lastResult, endedAtMs: 0 }).toEqual({ ...lastResult, endedAtMs: 0 });
  }

  async stats(by: number): Promise<void> {
    await this.#untilSettled();
    const store = this.#store(by);
    const told = await counters(store, this.#queue);
    expect(told).toEqual(this.#model.counters());
  }

  /** Claims and acknowledges all that can be, and looks whether every task came to one end, and the same as in the model. */
  async drain(): Promise<void> {
    const store = this.#store(0);
    await this.settleAll(0, ack());
    await this.#untilSettled();
    this.#lease(await claimAll(store, { queue: this.#queue, maxTasks: 100 }));
    await this.settleAll(0, ack());
    await this.stats(0);
    const { completed, failed, retried, scheduled, ready, active, enqueued } = this.#model.counters();
    expect({ ready, active }).toEqual({ ready: 0, active: 0 });
    expect(completed + (failed - retried) + scheduled, "one end for each task").toBe(enqueued);
    await Promise.all([...this.#model.tasks.values()].map((entry) => this.#compare(store, entry)));
  }

  /** Waits until nothing is about to fall due, and promotes what is, so that no comparison depends on the clock. */
  async #untilSettled(): Promise<void> {
    const store = this.#store(0);
    const now = await store.now();
    const times = this.#model.inState("scheduled").map(({ runAtMs }) => runAtMs);
    const soon = Math.max(...times.filter((runAtMs) => runAtMs < now + SOON_MS));
    if (soon === Number.NEGATIVE_INFINITY) return;
    const then = await until("all that is due soon is due", async () => {
      const at = await store.now();
      return at >= soon && at;
    });
    while ((await store.promote(this.#queue, 100)).nextInMs === 0) {
      // More are due now.
    }
    this.#model.promote(Number.POSITIVE_INFINITY, then);
  }

  #store(by: number): Store {
    const store = nthOf(this.#stores, by);
    if (!store) throw new Error("a walk needs a store");
    return store;
  }

  #task(key: string): ModelTask {
    const entry = this.#model.tasks.get(key);
    if (!entry) throw new Error(`the store made up a task: ${key}`);
    return entry;
  }
}

/**
 * Higher priorities first. Among equals, what has waited since it was enqueued is in that order, and at priority 0 what came
 * back is before it. What was scheduled may stand anywhere: two clocks cannot agree on it to the millisecond.
 */
function expectInOrder(line: readonly ModelTask[]): void {
  const places = line.filter((entry) => isFresh(entry) || (cameBack(entry) && entry.task.priority === 0));
  const rank = (entry: ModelTask) => ({ priority: -entry.task.priority, place: cameBack(entry) ? 0 : entry.place });
  const ordered = [...places].sort((a, b) => rank(a).priority - rank(b).priority || rank(a).place - rank(b).place);
  expect(places.map(rank)).toEqual(ordered.map(rank));
  const priorities = line.map(({ task }) => task.priority);
  expect(priorities).toEqual([...priorities].sort((a, b) => b - a));
}

function isFresh({ lease, task }: ModelTask): boolean {
  return lease === undefined && task.delayMs === 0 && task.runAtMs === 0;
}

function cameBack({ place }: ModelTask): boolean {
  return place <= 0;
}

function nthOf<T>(items: readonly T[], nth: number): T | undefined {
  return items[nth % items.length];
}
