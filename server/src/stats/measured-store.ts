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
  ListQuery,
  NewTask,
  Producer,
  QueuePolicy,
  Sample,
  Settlement,
  Store,
  StoreEvents,
  WorkerRecord,
} from "../store/store.ts";
import { countClaimed, countEnqueued, countSettled, doneOf, failureOf } from "./count-calls.ts";
import type { Measures } from "./measures.ts";
import { SampledTimes } from "./sampled-times.ts";
import type { StoreClock } from "./store-clock.ts";

export class MeasuredStore implements Store {
  readonly #store: Store;
  readonly #measures: Measures;
  readonly #clock: StoreClock;
  readonly #enqueues: SampledTimes;
  readonly #claims: SampledTimes;
  readonly #settles: SampledTimes;

  constructor(store: Store, measures: Measures, clock: StoreClock) {
    this.#store = store;
    this.#measures = measures;
    this.#clock = clock;
    this.#enqueues = new SampledTimes(measures.storeCall("enqueue"));
    this.#claims = new SampledTimes(measures.storeCall("claim"));
    this.#settles = new SampledTimes(measures.storeCall("settle"));
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

  // These three are written out: every task passes them, and a call often has only some tasks.

  enqueue(queue: string, tasks: readonly NewTask[], producer?: Producer) {
    const startedAtMs = this.#enqueues.begin();
    const answer = this.#store.enqueue(queue, tasks, producer);
    answer.then(
      (answers) => {
        this.#enqueues.end(startedAtMs);
        countEnqueued(this.#measures, { queue, tasks, answers });
      },
      (error: unknown) => {
        this.#countFailure("enqueue", error);
        if (error instanceof TaskwireError && error.code === "RATE_LIMITED")
          this.#measures.queue(queue).counts.rateLimited += tasks.length;
      },
    );
    return answer;
  }

  claim(queue: string, limit: ClaimLimit) {
    const startedAtMs = this.#claims.begin();
    const answer = this.#store.claim(queue, limit);
    answer.then(
      (grants) => {
        this.#claims.end(startedAtMs);
        // A queue that only was asked for may not exist.
        if (grants.length > 0) countClaimed(this.#measures.queue(queue), grants, this.#clock.nowMs());
      },
      (error: unknown) => this.#countFailure("claim", error),
    );
    return answer;
  }

  settle(queue: string, settlements: readonly Settlement[]) {
    const startedAtMs = this.#settles.begin();
    const answer = this.#store.settle(queue, settlements);
    answer.then(
      (answers) => {
        this.#settles.end(startedAtMs);
        countSettled(this.#measures.queue(queue), { settlements, answers, nowMs: this.#clock.nowMs() });
      },
      (error: unknown) => this.#countFailure("settle", error),
    );
    return answer;
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
    { answered }: { answered?: (answer: T) => unknown } = {},
  ): Promise<T> {
    const startedAtMs = performance.now();
    const answer = call();
    answer.then(
      (value) => {
        this.#measures.storeCall(verb).add((performance.now() - startedAtMs) * 1_000);
        answered?.(value);
      },
      (error: unknown) => this.#countFailure(verb, error),
    );
    return answer;
  }

  #countFailure(verb: string, error: unknown): void {
    const failure = failureOf(error);
    if (failure) this.#measures.storeErrorsOf(verb)[failure]++;
  }
}
