/**
 * One walk: the same steps on real stores and on the model, compared after each. The model is told the keys that the store
 * made, and which of the allowed tasks a claim took; everything else it foretells.
 */
import type {
  DeadMove,
  Enqueued,
  Lease,
  NewTask,
  Outcome,
  Producer,
  QueuePolicy,
  Settlement,
  Store,
  TaskState,
} from "@taskwire/server/testing";
import { expect } from "vitest";
import { until } from "../support/until.ts";
import { ModelQueue } from "./model.ts";
import type { ModelTask } from "./model-task.ts";
import { ack, claim, claimAll, counters, errorCode, type Held, policy } from "./tasks.ts";
import { expectInOrder, expectSameTask } from "./walk-checks.ts";
import { type Filter, WalkLists } from "./walk-lists.ts";

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
  readonly #lists: WalkLists;

  constructor(stores: readonly Store[], queue: string) {
    this.#stores = stores;
    this.#queue = queue;
    this.#model = new ModelQueue(queue);
    this.#lists = new WalkLists(queue, this.#model);
  }

  /** To be called after each step. */
  follow(): void {
    this.#lists.follow();
  }

  async enqueue(by: number, tasks: readonly NewTask[], producerId: string): Promise<void> {
    await this.#untilSettled();
    const producer = { id: producerId, sequence: this.#batches.length + 1 };
    const store = this.#store(by);
    const admission = this.#model.admit(tasks.length, await store.now());
    const call = store.enqueue(this.#queue, tasks, producer);
    if (admission.kind !== "admitted") {
      const code = admission.kind === "limited" ? "RATE_LIMITED" : "BATCH_ABOVE_BURST";
      return expect(await errorCode(call)).toBe(code);
    }
    const answer = await call;
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
    const ready = this.#model.policy.paused ? [] : this.#model.ready();
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
      const entry = this.#model.tasks.get(key);
      const isHeld = entry?.lease?.broker === lease.broker && entry.lease.sequence === lease.sequence;
      return isHeld && entry.state === "active";
    });
  }

  async cancel(by: number, nth: number): Promise<void> {
    await this.#untilSettled();
    const entry = nthOf([...this.#model.tasks.values()], nth);
    if (!entry) return;
    const store = this.#store(by);
    const answer = await store.cancel(this.#queue, entry.key, `reason ${nth}`);
    expect(answer).toEqual(this.#model.cancel(entry.key, `reason ${nth}`, await store.now()));
    await this.#compare(store, entry);
  }

  /** Revives or deletes tasks, of which most are dead. */
  async moveDead(by: number, verb: "revive" | "deleteDead", nths: readonly number[]): Promise<void> {
    await this.#untilSettled();
    const dead = this.#model.inState("dead");
    const all = [...this.#model.tasks.values()];
    const keys = nths.map((nth) => nthOf(nth % 4 === 0 ? all : dead, nth)?.key ?? `=unheard-of-${nth}`);
    const store = this.#store(by);
    const answers: readonly DeadMove[] = await store[verb](this.#queue, keys);
    const expected = verb === "revive" ? this.#model.revive(keys, await store.now()) : this.#model.deleteDead(keys);
    expect(answers).toEqual(expected);
  }

  async list(by: number, state: TaskState, limit: number, filter: Filter): Promise<void> {
    await this.#untilSettled();
    await this.#lists.compare(this.#store(by), state, limit, filter);
  }

  async turnPage(by: number, state: TaskState, limit: number): Promise<void> {
    await this.#untilSettled();
    await this.#lists.turn(this.#store(by), state, limit);
  }

  async failureGroups(by: number): Promise<void> {
    const groups = await this.#store(by).failureGroups(this.#queue);
    const brief = ({ id, errorType, message, count }: (typeof groups)[number]) => ({ id, errorType, message, count });
    const byId = (a: { readonly id: string }, b: { readonly id: string }) => a.id.localeCompare(b.id);
    expect(groups.map(brief).sort(byId)).toEqual(this.#model.failureGroups().map(brief).sort(byId));
    for (const { id, sampleKey } of groups) expect(this.#task(sampleKey)).toMatchObject({ state: "dead", group: id });
  }

  async steer(by: number, change: Partial<QueuePolicy>): Promise<void> {
    const told = await this.#store(by).steer(this.#queue, change);
    expect(told).toEqual(this.#model.steer(change));
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
    expectSameTask(found, expected);
  }

  async stats(by: number): Promise<void> {
    await this.#untilSettled();
    const store = this.#store(by);
    expect(await counters(store, this.#queue)).toEqual(this.#model.counters());
    if (this.#model.tasks.size > 0) expect(await policy(store, this.#queue)).toEqual(this.#model.policy);
  }

  /** Claims and acknowledges all that can be, and looks whether every task came to one end, and the same as in the model. */
  async drain(): Promise<void> {
    const store = this.#store(0);
    await this.#lists.finish(store);
    await this.steer(0, { paused: false });
    await this.settleAll(0, ack());
    await this.#untilSettled();
    this.#lease(await claimAll(store, { queue: this.#queue, maxTasks: 100 }));
    await this.settleAll(0, ack());
    await this.stats(0);
    const { completed, cancelled, deleted, dead, scheduled, ready, active, enqueued } = this.#model.counters();
    expect({ ready, active }).toEqual({ ready: 0, active: 0 });
    expect(completed + cancelled + deleted + dead + scheduled, "one end for each task").toBe(enqueued);
    await this.failureGroups(0);
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

function nthOf<T>(items: readonly T[], nth: number): T | undefined {
  return items[nth % items.length];
}
