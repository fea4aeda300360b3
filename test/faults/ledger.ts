/** What an embedded broker answered about tasks that were cancelled, revived and deleted, and about a queue that was steered. */
import { TaskState } from "@taskwire/proto";
import { expect } from "vitest";
import { type Rpc, refused } from "../support/rpc.ts";
import { countersOf } from "./audit.ts";

export type Verb = "cancel" | "revive" | "delete";

const AFTER = { cancel: TaskState.CANCELLED, revive: TaskState.READY, delete: undefined } as const;
const BY_VERB = { cancel: "cancelled", revive: "revived", delete: "deleted" } as const;

interface Entry {
  readonly verb: Verb;
  readonly before: TaskState;
  /** "unknown": asked, and cut off before the answer. */
  answer: "not asked" | "unknown" | "done";
}

export class Ledger {
  readonly #rpc: Rpc;
  readonly #queue: string;
  readonly #entries = new Map<string, Entry>();
  /** All that the last calls may have come to: one value once the last is answered. */
  #paused: readonly boolean[] = [false];
  #rates: readonly (number | undefined)[] = [undefined];
  #answered = 0;

  constructor(rpc: Rpc, queue: string) {
    this.#rpc = rpc;
    this.#queue = queue;
  }

  /** How many calls were answered. */
  get answered(): number {
    return this.#answered;
  }

  /** Tasks that are in this state, and what is to be done to them. */
  add(ids: readonly string[], verb: Verb, before: TaskState): void {
    for (const id of ids) this.#entries.set(id, { verb, before, answer: "not asked" });
  }

  /** Those that nothing was asked about. */
  untouched(): string[] {
    return [...this.#entries].filter(([, { answer }]) => answer === "not asked").map(([id]) => id);
  }

  /** Does to a task what is to be done to it. */
  async move(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry) throw new Error(`${id} is not in the ledger`);
    entry.answer = "unknown";
    const tasks = { taskIds: [id] };
    if (entry.verb === "cancel") await this.#rpc.tasks.cancelTask({ taskId: id });
    else if (entry.verb === "revive") await this.#rpc.tasks.reviveTasks({ tasks });
    else await this.#rpc.tasks.deleteTasks({ tasks });
    entry.answer = "done";
    this.#answered++;
  }

  async pause(isPaused: boolean): Promise<void> {
    this.#paused = [...this.#paused, isPaused];
    const call = isPaused ? this.#rpc.queues.pauseQueue : this.#rpc.queues.resumeQueue;
    const { queue } = await call({ queue: this.#queue });
    expect(queue?.paused).toBe(isPaused);
    this.#paused = [isPaused];
    this.#answered++;
  }

  async limit(perSecond: number | undefined): Promise<void> {
    this.#rates = [...this.#rates, perSecond];
    const enqueueRate = perSecond === undefined ? undefined : { perSecond, burst: 7 };
    await this.#rpc.queues.updateQueue({ queue: this.#queue, enqueueRate });
    this.#rates = [perSecond];
    this.#answered++;
  }

  /** Looks whether all that was answered is so, whatever was not asked is as it was, and what was cut off is the one or the other. */
  async check(): Promise<void> {
    const states = new Map(
      await Promise.all([...this.#entries.keys()].map(async (id) => [id, await this.#stateOf(id)] as const)),
    );
    for (const [id, { verb, before, answer }] of this.#entries) {
      const state = states.get(id);
      const what = `${id}, to ${verb}, ${answer}`;
      if (answer === "done") expect(state, what).toBe(AFTER[verb]);
      else if (answer === "not asked") expect(state, what).toBe(before);
      else expect([before, AFTER[verb]], what).toContain(state);
    }
    await this.#checkCounters([...states.values()]);
    const { queue } = await this.#rpc.queues.getQueue({ queue: this.#queue });
    expect(this.#paused).toContain(queue?.paused);
    expect(this.#rates).toContain(queue?.enqueueRate?.perSecond);
    this.#paused = [queue?.paused ?? false];
    this.#rates = [queue?.enqueueRate?.perSecond];
    this.#settle(states);
  }

  /** Gauges and counts were loaded as they are. */
  async #checkCounters(states: readonly (TaskState | undefined)[]): Promise<void> {
    const inState = (state: TaskState | undefined) => states.filter((one) => one === state).length;
    const done = { cancel: 0, revive: 0, delete: 0 };
    const entries = [...this.#entries.values()];
    for (const [i, { verb, before }] of entries.entries()) if (states[i] !== before) done[verb]++;
    expect(await countersOf(this.#rpc, this.#queue)).toMatchObject({
      enqueued: entries.length,
      ready: inState(TaskState.READY),
      scheduled: inState(TaskState.SCHEDULED),
      dead: inState(TaskState.DEAD),
      active: 0,
      completed: 0,
      ...Object.fromEntries(Object.entries(done).map(([verb, count]) => [BY_VERB[verb as Verb], count])),
    });
    const { groups } = await this.#rpc.tasks.listFailures({ queue: this.#queue });
    expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(inState(TaskState.DEAD));
  }

  /** What was cut off is known from now on, and must stay so. */
  #settle(states: ReadonlyMap<string, TaskState | undefined>): void {
    for (const [id, entry] of this.#entries) {
      if (entry.answer === "unknown") entry.answer = states.get(id) === entry.before ? "not asked" : "done";
    }
  }

  async #stateOf(taskId: string): Promise<TaskState | undefined> {
    try {
      return (await this.#rpc.tasks.getTask({ taskId })).status?.state;
    } catch {
      expect(await refused((options) => this.#rpc.tasks.getTask({ taskId }, options))).toMatchObject({ code: 5 });
      return undefined;
    }
  }
}
