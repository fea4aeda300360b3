/**
 * The lists of a walk: each is compared with the model as a whole; and one is kept open while the walk goes on, a page now and
 * then, and must have shown whatever stayed in its place once.
 */
import { LIMITS, type ListedTask, type Store, type TaskState } from "@taskwire/server/testing";
import { expect } from "vitest";
import { keysListed, listAll } from "./lists.ts";
import type { ModelQueue } from "./model.ts";
import type { ModelTask } from "./model-task.ts";
import { expectInOrder } from "./walk-checks.ts";

export interface Filter {
  readonly type?: string;
  /** Counted modulo the groups that there are. */
  readonly group?: number;
}

/** A list that is read page by page. */
interface OpenList {
  readonly state: TaskState;
  readonly limit: number;
  readonly shown: string[];
  /** What was in the list from the start on and never left its place. */
  stayed: readonly { readonly entry: ModelTask; readonly place: number; readonly ended: number }[];
  after: string | undefined;
}

export class WalkLists {
  readonly #queue: string;
  readonly #model: ModelQueue;
  #open: OpenList | undefined;

  constructor(queue: string, model: ModelQueue) {
    this.#queue = queue;
    this.#model = model;
  }

  async compare(store: Store, state: TaskState, limit: number, { type, group }: Filter): Promise<void> {
    const hasType = state !== "completed" && state !== "cancelled";
    const groups = this.#model.failureGroups();
    const failureGroup = state === "dead" && group !== undefined ? groups[group % groups.length]?.id : undefined;
    const query = { state, limit, failureGroup, type: hasType ? type : undefined };
    const listed = await listAll(store, { ...query, queue: this.#queue });
    const expected = this.#model
      .inState(state)
      .filter((entry) => query.type === undefined || entry.task.type === query.type)
      .filter((entry) => query.failureGroup === undefined || entry.group === query.failureGroup);
    const keys = keysListed(listed);
    if (this.#isWhole(state)) {
      expect(keys.toSorted(), `all that is ${state}`).toEqual(expected.map(({ key }) => key).sort());
    }
    expect(new Set(keys).size, "none twice").toBe(keys.length);
    this.#expectOrder(state, listed);
    if (state === "ready" && query.type === undefined) await this.#comparePositions(store, keys);
  }

  /** Of what is completed or cancelled only the last that ended need be listed. */
  #isWhole(state: TaskState): boolean {
    if (state !== "completed" && state !== "cancelled") return true;
    const { completed, cancelled } = this.#model.counters();
    return completed + cancelled <= LIMITS.listedEnded;
  }

  #expectOrder(state: TaskState, listed: readonly ListedTask[]): void {
    const entries = keysListed(listed).map((key) => this.#model.tasks.get(key));
    if (state === "ready") expectInOrder(entries.filter((entry) => entry !== undefined).reverse());
    else {
      const times = listed.map(({ timeMs }) => timeMs);
      expect(times, `the order of what is ${state}`).toEqual(times.toSorted((a, b) => b - a));
    }
  }

  /** The list of the ready is the line from its end: the last that is listed is the next to be claimed. */
  async #comparePositions(store: Store, keys: readonly string[]): Promise<void> {
    for (const at of new Set([0, Math.floor(keys.length / 2), keys.length - 1])) {
      const key = keys[at];
      if (key) expect(await store.position(this.#queue, key), key).toBe(keys.length - 1 - at);
    }
  }

  /** Turns a page of the open list, or opens this one. */
  async turn(store: Store, state: TaskState, limit: number): Promise<void> {
    this.#open ??= {
      state,
      limit,
      shown: [],
      stayed: this.#model.inState(state).map((entry) => ({ entry, place: entry.place, ended: entry.ended })),
      after: undefined,
    };
    const open = this.#open;
    const page = await store.list(this.#queue, { state: open.state, limit: open.limit, after: open.after });
    open.shown.push(...keysListed(page.tasks));
    open.after = page.next;
    if (page.next === undefined) this.#close(open);
  }

  #close({ state, shown, stayed }: OpenList): void {
    this.#open = undefined;
    const isWhole = this.#isWhole(state);
    const counts = new Map(stayed.map(({ entry }) => [entry.key, 0]));
    for (const key of shown) if (counts.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
    const wrong = [...counts].filter(([, count]) => (isWhole ? count !== 1 : count > 1));
    expect(wrong, `of what stayed ${state}, what was not shown once`).toEqual([]);
  }

  /** To be called after each step: forgets what left its place. */
  follow(): void {
    if (!this.#open) return;
    const { state, stayed } = this.#open;
    this.#open.stayed = stayed.filter(({ entry, place, ended }) => {
      const isThere = this.#model.tasks.get(entry.key) === entry;
      return isThere && entry.state === state && entry.place === place && entry.ended === ended;
    });
  }

  /** Reads what is left of the open list. */
  async finish(store: Store): Promise<void> {
    while (this.#open) await this.turn(store, this.#open.state, this.#open.limit);
  }
}
