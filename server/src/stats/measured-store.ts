/**
 * The store as the rest of the broker uses it: each call goes on as it is, and what it did is counted when it answers. Since
 * everything that happens to tasks goes through the store, this is the only place that counts; the cost is per call, and for
 * the tasks of a call an addition or two.
 */
import { TaskwireError } from "../domain/errors.ts";
import type {
  Cancelled,
  ClaimLimit,
  DeadMove,
  Enqueued,
  Grant,
  ListQuery,
  NewTask,
  Producer,
  QueuePolicy,
  Sample,
  Settled,
  Settlement,
  Store,
  StoreEvents,
  WorkerRecord,
} from "../store/store.ts";
import type { Measures, QueueMeasures, StoreError } from "./measures.ts";
import type { StoreClock } from "./store-clock.ts";

export class MeasuredStore implements Store {
  readonly #store: Store;
  readonly #measures: Measures;
  readonly #clock: StoreClock;

  constructor(store: Store, measures: Measures, clock: StoreClock) {
    this.#store = store;
    this.#measures = measures;
    this.#clock = clock;
  }

  get description() {
    return this.#store.description;
  }
  get durability() {
    return this.#store.durability;
  }
  get brokerId() {
    return this.#store.brokerId;
  }

  enqueue(queue: string, tasks: readonly NewTask[], producer?: Producer) {
    const refused = (error: unknown) => {
      if (error instanceof TaskwireError && error.code === "RATE_LIMITED")
        this.#measures.queue(queue).counts.rateLimited += tasks.length;
    };
    return this.#timed("enqueue", () => this.#store.enqueue(queue, tasks, producer), {
      answered: (answers) => this.#countEnqueued(queue, tasks, answers),
      refused,
    });
  }

  claim(queue: string, limit: ClaimLimit) {
    return this.#timed("claim", () => this.#store.claim(queue, limit), {
      // A queue that only was asked for may not exist.
      answered: (grants) => grants.length > 0 && this.#countClaimed(this.#measures.queue(queue), grants),
    });
  }

  settle(queue: string, settlements: readonly Settlement[]) {
    return this.#timed("settle", () => this.#store.settle(queue, settlements), {
      answered: (answers) => this.#countSettled(this.#measures.queue(queue), settlements, answers),
    });
  }

  cancel(queue: string, key: string, reason: string) {
    const answered = ({ kind }: Cancelled) => {
      if (kind === "cancelled") this.#measures.queue(queue).counts.cancelled++;
    };
    return this.#timed("cancel", () => this.#store.cancel(queue, key, reason), { answered });
  }

  revive(queue: string, keys: readonly string[]) {
    const answered = (moves: readonly DeadMove[]) => {
      this.#measures.queue(queue).counts.revived += doneOf(moves);
    };
    return this.#timed("revive", () => this.#store.revive(queue, keys), { answered });
  }

  deleteDead(queue: string, keys: readonly string[]) {
    const answered = (moves: readonly DeadMove[]) => {
      this.#measures.queue(queue).counts.deleted += doneOf(moves);
    };
    return this.#timed("deleteDead", () => this.#store.deleteDead(queue, keys), { answered });
  }

  reap() {
    const answered = (tasks: number) => {
      this.#measures.reaped += tasks;
    };
    return this.#timed("reap", () => this.#store.reap(), { answered });
  }

  promote(queue: string, max: number) {
    return this.#timed("promote", () => this.#store.promote(queue, max));
  }
  list(queue: string, query: ListQuery) {
    return this.#timed("list", () => this.#store.list(queue, query));
  }
  position(queue: string, key: string) {
    return this.#timed("position", () => this.#store.position(queue, key));
  }
  failureGroups(queue: string) {
    return this.#timed("failureGroups", () => this.#store.failureGroups(queue));
  }
  steer(queue: string, change: Partial<QueuePolicy>) {
    return this.#timed("steer", () => this.#store.steer(queue, change));
  }
  find(queue: string, key: string) {
    return this.#timed("find", () => this.#store.find(queue, key));
  }
  stats(queues: readonly string[]) {
    return this.#timed("stats", () => this.#store.stats(queues));
  }
  renew() {
    return this.#timed("renew", () => this.#store.renew());
  }
  putWorkers(workers: readonly WorkerRecord[]) {
    return this.#timed("putWorkers", () => this.#store.putWorkers(workers));
  }
  workers() {
    return this.#timed("workers", () => this.#store.workers());
  }
  dropOld() {
    return this.#timed("dropOld", () => this.#store.dropOld());
  }
  putSample(sample: Sample) {
    return this.#timed("putSample", () => this.#store.putSample(sample));
  }
  samples(from?: number) {
    return this.#timed("samples", () => this.#store.samples(from));
  }

  // Not timed: they last as long as the broker, or wait for something else, or say nothing that the others do not.
  start(events: StoreEvents) {
    return this.#store.start(events);
  }
  stop() {
    return this.#store.stop();
  }
  untilEnded(queue: string, key: string, signal: AbortSignal) {
    return this.#store.untilEnded(queue, key, signal);
  }
  findLeased(...args: Parameters<Store["findLeased"]>) {
    return this.#store.findLeased(...args);
  }
  queues() {
    return this.#store.queues();
  }
  queueByTag(tag: string) {
    return this.#store.queueByTag(tag);
  }
  now() {
    return this.#store.now();
  }
  brokers() {
    return this.#store.brokers();
  }
  removeWorker(sessionId: string) {
    return this.#store.removeWorker(sessionId);
  }
  usedBytes() {
    return this.#store.usedBytes();
  }

  /** The promise of the store itself is returned, so that nobody waits longer for having been measured. */
  #timed<T>(
    verb: string,
    call: () => Promise<T>,
    { answered, refused }: { answered?: (answer: T) => unknown; refused?: (error: unknown) => void } = {},
  ): Promise<T> {
    const startedAtMs = performance.now();
    const answer = call();
    answer.then(
      (value) => {
        this.#measures.storeCall(verb).add((performance.now() - startedAtMs) * 1_000);
        answered?.(value);
      },
      (error: unknown) => {
        const failure = failureOf(error);
        if (failure) this.#measures.storeErrorsOf(verb)[failure]++;
        refused?.(error);
      },
    );
    return answer;
  }

  /** A batch that was sent again is counted again: the store alone knows better. */
  #countEnqueued(queue: string, tasks: readonly NewTask[], answers: readonly Enqueued[]): void {
    // Most calls have tasks of one type: they are counted by runs.
    let run = 0;
    for (let i = 0; i < tasks.length; i++) {
      const { type } = tasks[i] as NewTask;
      if (answers[i]?.kind === "created") run++;
      if (tasks[i + 1]?.type === type) continue;
      if (run > 0) this.#measures.countEnqueued(queue, type, run);
      run = 0;
    }
  }

  #countClaimed({ counts, wait }: QueueMeasures, grants: readonly Grant[]): void {
    const nowMs = this.#clock.nowMs();
    for (const grant of grants) {
      counts.dequeued += grant.count;
      const readyAtMs = readyAtOf(grant);
      if (readyAtMs !== undefined) wait.add(nowMs - readyAtMs, grant.count);
    }
  }

  #countSettled(queue: QueueMeasures, settlements: readonly Settlement[], answers: readonly Settled[]): void {
    const nowMs = this.#clock.nowMs();
    for (let i = 0; i < settlements.length; i++) {
      const settlement = settlements[i] as Settlement;
      if (answers[i] === "settled") countOutcome(queue, settlement, nowMs);
      else queue.counts.stale++;
    }
  }
}

/** Undefined when the grant does not tell: a task alone may have been delayed, or tried before. */
function readyAtOf({ alone, enqueuedAtMs }: Grant): number | undefined {
  return alone ? undefined : enqueuedAtMs;
}

function countOutcome({ counts, run, endToEnd }: QueueMeasures, settlement: Settlement, nowMs: number): void {
  const { outcome, enqueuedAtMs } = settlement;
  switch (outcome.kind) {
    case "ack":
      counts.completed++;
      run.add(outcome.durationMs);
      if (enqueuedAtMs !== undefined) endToEnd.add(nowMs - enqueuedAtMs);
      return;
    case "retry":
      counts.retried++;
      break;
    case "bury":
      counts.buried++;
      break;
    case "discard":
      counts.cancelled++;
      break;
    case "lose":
      if (outcome.failure) counts.lost++;
      return;
    case "release":
    case "snooze":
      return;
  }
  counts.failed++;
  run.add(outcome.failure.durationMs);
}

/** Undefined when the store refuses by its rules: then it has not failed. */
function failureOf(error: unknown): StoreError | undefined {
  if (!(error instanceof TaskwireError)) return "BUG";
  return error.code === "STORE_UNAVAILABLE" || error.code === "STORE_FULL" ? error.code : undefined;
}

function doneOf(moves: readonly DeadMove[]): number {
  return moves.reduce((done, move) => (move === "done" ? done + 1 : done), 0);
}
