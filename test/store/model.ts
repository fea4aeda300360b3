/**
 * What a store means, in as few lines as possible: everything in memory, every task by itself. The random walk compares
 * the real stores with it, and the suites run on it too, so that a wrong test shows without a server.
 */
import { isDeepStrictEqual } from "node:util";
import {
  type Cancelled,
  type DeadMove,
  type Failure,
  type FailureGroup,
  hasEnded,
  keyIndex,
  type Lease,
  leasedKey,
  type NewTask,
  type Outcome,
  type QueueCounters,
  type QueuePolicy,
  type TaskSnapshot,
  type TaskState,
} from "@taskwire/server/testing";
import { ModelGroups } from "./model-groups.ts";
import { type Admission, ModelRate } from "./model-rate.ts";
import { keepAttempt, type ModelTask, newModelTask, scheduleAt, snapshotOf } from "./model-task.ts";

/** "repeated": this very settlement was made before. */
export type Moved = "moved" | "repeated" | "stale";

export class ModelQueue {
  readonly name: string;
  readonly tasks = new Map<string, ModelTask>();
  readonly byType = new Map<string, number>();
  policy: QueuePolicy = { paused: false, enqueueRate: undefined };
  readonly #maxDead: number;
  readonly #counted = {
    enqueued: 0,
    dequeued: 0,
    completed: 0,
    failed: 0,
    retried: 0,
    lost: 0,
    buried: 0,
    cancelled: 0,
    revived: 0,
    deleted: 0,
    dropped: 0,
  };
  readonly #groups = new ModelGroups();
  #rate: ModelRate | undefined;
  #back = 1;
  #front = 0;
  #ends = 0;

  constructor(name: string, maxDead = Number.POSITIVE_INFINITY) {
    this.name = name;
    this.#maxDead = maxDead;
  }

  /** Whether so many tasks may be added. */
  admit(count: number, now: number): Admission {
    return this.#rate?.admit(count, now) ?? { kind: "admitted" };
  }

  /** The task with this key: a new one unless there is one. */
  add(key: string, task: NewTask, now: number): { readonly kind: "created" | "existing"; readonly entry: ModelTask } {
    const known = this.tasks.get(key);
    if (known) return { kind: "existing", entry: known };
    const entry = newModelTask(
      { queue: this.name, key, task, number: this.#counted.enqueued, place: this.#back++ },
      now,
    );
    this.tasks.set(key, entry);
    this.#counted.enqueued++;
    this.byType.set(task.type, (this.byType.get(task.type) ?? 0) + 1);
    return { kind: "created", entry };
  }

  inState(state: TaskState): ModelTask[] {
    return [...this.tasks.values()].filter((entry) => entry.state === state);
  }

  promote(max: number, now: number): number {
    const due = this.inState("scheduled").filter(({ runAtMs }) => runAtMs <= now);
    const first = due.sort((a, b) => a.runAtMs - b.runAtMs).slice(0, max);
    for (const entry of first) {
      entry.state = "ready";
      entry.readyAtMs = entry.runAtMs;
      entry.runAtMs = 0;
      entry.place = this.#back++;
    }
    return first.length;
  }

  /** In the order of claims. */
  ready(): ModelTask[] {
    return this.inState("ready").sort((a, b) => b.task.priority - a.task.priority || a.place - b.place);
  }

  lease(entry: ModelTask, lease: Lease, now: number): void {
    entry.state = "active";
    entry.lease = lease;
    entry.leasedAtMs = now;
    entry.outcome = undefined;
    this.#counted.dequeued++;
  }

  settle(lease: Lease, index: number, outcome: Outcome, now: number): Moved {
    const entry = this.leased(lease, index);
    if (!entry) return "stale";
    const isLateAck = entry.outcome === "lose" && outcome.kind === "ack";
    if (entry.outcome !== undefined && !isLateAck) return entry.outcome === outcome.kind ? "repeated" : "stale";
    entry.outcome = outcome.kind;
    this.#move(entry, outcome, now);
    return "moved";
  }

  /** The task whose last lease this is. */
  leased(lease: Lease, index: number): ModelTask | undefined {
    if (lease.alone && index !== 0) return undefined;
    const entry = this.tasks.get(leasedKey(lease, index));
    const last = entry?.lease;
    if (!last) return undefined;
    const isLast = last.broker === lease.broker && last.sequence === lease.sequence && last.attempt === lease.attempt;
    return isLast && last.block === lease.block && last.alone === lease.alone ? entry : undefined;
  }

  #move(entry: ModelTask, outcome: Outcome, now: number): void {
    switch (outcome.kind) {
      case "ack": {
        const { result, durationMs, workerId } = outcome;
        keepAttempt(entry, { outcome: "completed", failure: undefined, durationMs, workerId }, now);
        entry.lastResult = { success: true, result, failure: undefined, durationMs, workerId, endedAtMs: now };
        this.#end(entry, "completed");
        break;
      }
      case "retry":
        this.#fail(entry, "failed", outcome.failure, now);
        this.#counted.failed++;
        this.#counted.retried++;
        entry.attempt++;
        scheduleAt(entry, now + outcome.delayMs);
        break;
      case "bury":
        this.#fail(entry, "failed", outcome.failure, now);
        this.#counted.failed++;
        this.#bury(entry, now);
        break;
      case "discard":
        this.#fail(entry, "cancelled", outcome.failure, now);
        this.#counted.failed++;
        this.#end(entry, "cancelled");
        break;
      case "snooze":
        scheduleAt(entry, now + outcome.delayMs);
        break;
      case "lose":
        if (outcome.failure) {
          const { failure } = outcome;
          const { durationMs, workerId } = failure;
          keepAttempt(entry, { outcome: "lost", failure, durationMs, workerId }, now);
          entry.lostCount++;
          this.#counted.lost++;
        }
        this.#return(entry, now);
        break;
      case "release":
        this.#return(entry, now);
    }
  }

  #fail(entry: ModelTask, outcome: "failed" | "cancelled", failure: Failure, now: number): void {
    const { durationMs, workerId } = failure;
    if (entry.state === "active") keepAttempt(entry, { outcome, failure, durationMs, workerId }, now);
    entry.lastResult = { success: false, result: undefined, failure, durationMs, workerId, endedAtMs: now };
  }

  #end(entry: ModelTask, state: "completed" | "cancelled" | "dead"): void {
    entry.state = state;
    entry.ended = ++this.#ends;
    this.#counted[state === "dead" ? "buried" : state]++;
  }

  #bury(entry: ModelTask, now: number): void {
    this.#end(entry, "dead");
    this.#groups.enter(entry, now);
    const oldestFirst = this.inState("dead").sort((a, b) => a.ended - b.ended);
    const tooMany = oldestFirst.slice(0, Math.max(0, oldestFirst.length - this.#maxDead));
    for (const oldest of tooMany) this.dropDead(oldest);
  }

  #return(entry: ModelTask, now: number): void {
    entry.state = "ready";
    entry.readyAtMs = now;
    entry.place = this.#front--;
  }

  cancel(key: string, reason: string, now: number): Cancelled {
    const entry = this.tasks.get(key);
    if (!entry) return { kind: "missing" };
    if (hasEnded(entry.state)) return { kind: "ended", state: entry.state };
    const isActive = entry.state === "active";
    const lease = isActive ? entry.lease : undefined;
    const durationMs = isActive ? now - entry.leasedAtMs : 0;
    const failure = { type: "cancelled", message: reason, stack: "", durationMs, workerId: "" };
    this.#fail(entry, "cancelled", failure, now);
    this.#end(entry, "cancelled");
    entry.lease = undefined;
    entry.runAtMs = 0;
    return { kind: "cancelled", lease, index: lease && !lease.alone ? keyIndex(key) : 0 };
  }

  revive(keys: readonly string[], now: number): DeadMove[] {
    return this.#eachDead(keys, (entry) => {
      this.#groups.leave(entry);
      this.#counted.revived++;
      entry.state = "ready";
      entry.readyAtMs = now;
      entry.place = this.#back++;
      entry.attempt = 1;
      entry.lostCount = 0;
      entry.ended = 0;
    });
  }

  deleteDead(keys: readonly string[]): DeadMove[] {
    return this.#eachDead(keys, (entry) => {
      this.#remove(entry);
      this.#counted.deleted++;
    });
  }

  #eachDead(keys: readonly string[], move: (entry: ModelTask) => void): DeadMove[] {
    return keys.map((key) => {
      const entry = this.tasks.get(key);
      if (!entry) return "missing";
      if (entry.state !== "dead") return entry.state;
      move(entry);
      return "done";
    });
  }

  /** Drops a dead task because it is too old, or one too many. */
  dropDead(entry: ModelTask): void {
    this.#remove(entry);
    this.#counted.dropped++;
  }

  #remove(entry: ModelTask): void {
    this.#groups.leave(entry);
    this.tasks.delete(entry.key);
  }

  steer(change: Partial<QueuePolicy>): QueuePolicy {
    const policy = { ...this.policy, ...change };
    if (!isDeepStrictEqual(policy.enqueueRate, this.policy.enqueueRate)) {
      this.#rate = policy.enqueueRate && new ModelRate(policy.enqueueRate);
    }
    this.policy = policy;
    return policy;
  }

  failureGroups(): FailureGroup[] {
    return this.#groups.list(this.inState("dead"));
  }

  snapshot(key: string): TaskSnapshot | undefined {
    const entry = this.tasks.get(key);
    return entry && snapshotOf(entry);
  }

  counters(): QueueCounters {
    const gauge = (state: TaskState) => this.inState(state).length;
    const gauges = {
      scheduled: gauge("scheduled"),
      ready: gauge("ready"),
      active: gauge("active"),
      dead: gauge("dead"),
    };
    return { ...this.#counted, ...gauges };
  }
}
