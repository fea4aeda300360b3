/**
 * What a store means, in as few lines as possible: everything in memory, every task by itself. The random walk compares
 * the real stores with it, and the suites run on it too, so that a wrong test shows without a server.
 */
import {
  type AttemptResult,
  hasEnded,
  type Lease,
  leasedKey,
  type NewTask,
  type Outcome,
  type QueueCounters,
  type TaskSnapshot,
  type TaskState,
} from "@taskwire/server/testing";

export interface ModelTask {
  readonly queue: string;
  readonly key: string;
  readonly task: NewTask;
  readonly enqueuedAtMs: number;
  /** Where it stands among the ready of its priority: lower first. */
  place: number;
  state: TaskState;
  attempt: number;
  lostCount: number;
  runAtMs: number;
  lastResult: AttemptResult | undefined;
  /** The last lease. */
  lease: Lease | undefined;
  /** What the last lease was settled with. */
  outcome: Outcome["kind"] | undefined;
  /** Which of all ends of its queue this was; 0 before it. */
  ended: number;
}

/** "repeated": this very settlement was made before. */
export type Moved = "moved" | "repeated" | "stale";

export class ModelQueue {
  readonly name: string;
  readonly tasks = new Map<string, ModelTask>();
  readonly byType = new Map<string, number>();
  #counted = { enqueued: 0, dequeued: 0, completed: 0, failed: 0, retried: 0, lost: 0 };
  #back = 1;
  #front = 0;
  #ends = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** The task with this key: a new one unless there is one. */
  add(key: string, task: NewTask, now: number): { readonly kind: "created" | "existing"; readonly entry: ModelTask } {
    const known = this.tasks.get(key);
    if (known) return { kind: "existing", entry: known };
    const runAtMs = task.delayMs > 0 ? now + task.delayMs : task.runAtMs;
    const isDue = runAtMs <= now;
    const entry: ModelTask = {
      queue: this.name,
      key,
      task,
      enqueuedAtMs: now,
      place: this.#back++,
      state: isDue ? "ready" : "scheduled",
      attempt: 1,
      lostCount: 0,
      runAtMs: isDue ? 0 : runAtMs,
      lastResult: undefined,
      lease: undefined,
      outcome: undefined,
      ended: 0,
    };
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
      entry.runAtMs = 0;
      entry.place = this.#back++;
    }
    return first.length;
  }

  /** In the order of claims. */
  ready(): ModelTask[] {
    return this.inState("ready").sort((a, b) => b.task.priority - a.task.priority || a.place - b.place);
  }

  lease(entry: ModelTask, lease: Lease): void {
    entry.state = "active";
    entry.lease = lease;
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
    if (hasEnded(entry.state)) entry.ended = ++this.#ends;
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
        entry.state = "completed";
        entry.lastResult = { success: true, result, failure: undefined, durationMs, workerId, endedAtMs: now };
        this.#counted.completed++;
        break;
      }
      case "retry":
        this.#fail(entry, outcome, now);
        this.#counted.retried++;
        entry.attempt++;
        schedule(entry, now + outcome.delayMs);
        break;
      case "bury":
      case "discard":
        this.#fail(entry, outcome, now);
        entry.state = outcome.kind === "bury" ? "dead" : "cancelled";
        break;
      case "snooze":
        schedule(entry, now + outcome.delayMs);
        break;
      case "lose":
        entry.lostCount += outcome.count;
        this.#counted.lost += outcome.count;
        this.#return(entry);
        break;
      case "release":
        this.#return(entry);
    }
  }

  #fail(entry: ModelTask, { failure }: Outcome & { kind: "retry" | "bury" | "discard" }, now: number): void {
    const { durationMs, workerId } = failure;
    entry.lastResult = { success: false, result: undefined, failure, durationMs, workerId, endedAtMs: now };
    this.#counted.failed++;
  }

  #return(entry: ModelTask): void {
    entry.state = "ready";
    entry.place = this.#front--;
  }

  snapshot(key: string): TaskSnapshot | undefined {
    const entry = this.tasks.get(key);
    if (!entry) return undefined;
    const { queue, state, attempt, lostCount, enqueuedAtMs, runAtMs, lastResult } = entry;
    const body = hasEnded(state) && state !== "dead" ? undefined : entry.task.body;
    return { queue, key, state, body, attempt, lostCount, enqueuedAtMs, runAtMs, lastResult };
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

function schedule(entry: ModelTask, runAtMs: number): void {
  entry.state = "scheduled";
  entry.runAtMs = runAtMs;
}
