/**
 * Turns the settlements of one lease into an entry for the script `settle`: what must stand in the lease, what shall stand
 * there afterwards, and the effects, as its header lists them.
 */
import { INDEX_TEXT } from "../../domain/ids.ts";
import type { Lease } from "../../domain/lease.ts";
import { type AloneRecord, encodeResults, type ResultEntry } from "../records.ts";
import type { Attempt } from "../store.ts";
import { planAloneAck } from "./alone-ack.ts";
import { encodeMeta } from "./alone-value.ts";
import type { Entry } from "./entry.ts";
import { type AloneLease, type BlockLease, type HeldLease, resultIndex } from "./held-lease.ts";
import {
  CANCELLED_ACTIVE,
  destination,
  endsTask,
  freshRecord,
  MOVE_COUNTS,
  type Move,
  type PlannedMove,
  recordAfter,
  toResult,
} from "./moves.ts";
import type { Argument } from "./script.ts";
import { rankOf, stateAfter } from "./task-state.ts";

/** Larger results get a field of their own, so that adding to a block's results does not copy them. */
const LARGE_RESULT = 1_024;

/** What the plan of one entry needs to know. */
export interface Plan {
  readonly lease: Lease;
  readonly held: HeldLease;
  /** The text that stands in the store. */
  readonly expected: string;
  /** All outstanding, each index once. */
  readonly settlements: readonly PlannedMove[];
  readonly nowMs: number;
  /** The most results that go into one record: small when few are kept. */
  readonly resultShare: number;
  /** What all brokers are told on the channel when it was applied. */
  readonly announce?: string;
}

/** Changes `held` to what the store will have when the entry was applied. */
export function planEntry(plan: Plan): Entry & { readonly following: string } {
  const outcome = plan.settlements[0]?.outcome;
  if (plan.held.kind === "alone" && outcome?.kind === "ack") return planAloneAck({ ...plan, held: plan.held }, outcome);
  const effects = new Effects(plan);
  if (plan.held.kind === "alone") planAlone(plan, plan.held, effects);
  else planBlock(plan, plan.held, effects);
  if (plan.announce !== undefined) effects.push("t", plan.announce);
  const following = plan.held.kind === "alone" ? "" : plan.held.text();
  const { args, number, delaysMs } = effects.end();
  return {
    head: ["l", String(plan.lease.sequence), plan.expected, following, number],
    effects: args,
    following,
    delaysMs,
    endedKeys: () => endedKeys(plan),
  };
}

/** A late ack: the task was lost from this lease, but nobody claimed it since. It stands alone, in this state. */
export function planLateAck(
  plan: Omit<Plan, "held" | "expected">,
  key: string,
  state: string,
  record: AloneRecord,
): Entry {
  const [settlement] = plan.settlements;
  const lease = { ...plan.lease, block: key, alone: true };
  const effects = new Effects({ ...plan, lease });
  effects.push("e", key);
  if (settlement) effects.result(toResult(settlement.outcome, resultIndex(key)), key, record);
  effects.count("completed", 1);
  effects.count("late", 1);
  effects.count("ready", -1);
  const { args, number } = effects.end();
  return { head: ["s", key, state, "", number], effects: args, delaysMs: [], endedKeys: () => [key] };
}

class Effects {
  readonly #plan: Omit<Plan, "held" | "expected">;
  readonly #args: Argument[] = [];
  readonly #counts = new Map<string, number>();
  readonly #results: ResultEntry[] = [];
  readonly delaysMs: number[] = [];
  #number = 0;
  #lostCount = 0;
  #earlier: readonly Attempt[] = [];

  constructor(plan: Omit<Plan, "held" | "expected">) {
    this.#plan = plan;
  }

  push(...effect: Argument[]): void {
    for (const arg of effect) this.#args.push(arg);
    this.#number++;
  }

  count(name: string, n: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + n);
  }

  /** @param of the record of a task alone: its history is kept with its end */
  result(entry: ResultEntry, key: string, of?: AloneRecord): void {
    this.#lostCount = of?.lostCount ?? 0;
    this.#earlier = of?.attempts ?? [];
    if ((entry.result?.length ?? 0) > LARGE_RESULT) this.#record(key, [entry]);
    else this.#results.push(entry);
  }

  /** A task that goes on alone. `source` is the stream id of the block that it leaves, "" when it was alone. */
  move({ outcome, index }: PlannedMove, source: string, key: string, from: AloneRecord): void {
    const record = recordAfter(from, outcome, this.#plan.nowMs);
    const rank = rankOf(record.priority);
    const state = stateAfter(outcome.kind, this.#plan.lease, rank);
    const [to, argument] = destination(outcome, rank, this.#plan.nowMs);
    this.push("m", source, index, key, encodeMeta(record), state, to, argument);
    if (outcome.kind === "retry" || outcome.kind === "snooze") this.delaysMs.push(outcome.delayMs);
    this.countMove(outcome);
  }

  countMove(move: Move): void {
    for (const [name, n] of MOVE_COUNTS[move.kind]) this.count(name, n);
    if (move.kind === "lose" && move.failure) this.count("lost", 1);
  }

  end(): { args: readonly Argument[]; number: number; delaysMs: readonly number[] } {
    const { lease, resultShare } = this.#plan;
    for (let at = 0; at < this.#results.length; at += resultShare) {
      this.#record(
        lease.block,
        at === 0 && this.#results.length <= resultShare ? this.#results : this.#results.slice(at, at + resultShare),
      );
    }
    for (const [name, n] of this.#counts) this.push("c", name, n);
    return { args: this.#args, number: this.#number, delaysMs: this.delaysMs };
  }

  #record(field: string, entries: readonly ResultEntry[]): void {
    const { lease, nowMs, settlements } = this.#plan;
    const { broker, sequence } = settlements[0]?.outcome.kind === "cancel" ? CANCELLED_ACTIVE : lease;
    const kept = { lostCount: this.#lostCount, earlier: this.#earlier };
    const record = { broker, sequence, attempt: lease.attempt, ...kept, endedAtMs: nowMs, entries };
    this.push("r", field, entries.length, encodeResults(record));
  }
}

function planAlone({ settlements }: Plan, held: AloneLease, effects: Effects): void {
  const [settlement] = settlements;
  if (!settlement) return;
  const { outcome } = settlement;
  if (!endsTask(outcome)) {
    effects.move(settlement, "", held.key, held.record);
    return;
  }
  effects.push("e", held.key);
  effects.result(toResult(outcome, resultIndex(held.key)), held.key, held.record);
  effects.countMove(outcome);
}

function planBlock({ lease, settlements }: Plan, held: BlockLease, effects: Effects): void {
  const leftBefore = held.left;
  const released: number[] = [];
  let completed = 0;
  for (const settlement of settlements) {
    const { outcome, index } = settlement;
    if (outcome.kind === "release") {
      released.push(index);
      effects.countMove(outcome);
    } else if (endsTask(outcome)) {
      effects.result(toResult(outcome, index), lease.block + INDEX_TEXT[index]);
      if (outcome.kind === "ack") completed++;
      else effects.countMove(outcome);
    } else {
      effects.move(settlement, held.id, lease.block + INDEX_TEXT[index], freshRecord(held));
    }
    if (settlements.length < leftBefore) held.remove(index);
  }
  if (completed > 0) effects.count("completed", completed);
  if (settlements.length === leftBefore) held.clear();
  putBack(held, released, effects);
  finish(held, settlements.length, released.length, effects);
}

/** Neighbours go back to the front of the line as one range. */
function putBack(held: BlockLease, released: number[], effects: Effects): void {
  released.sort((a, b) => a - b);
  for (let at = 0, end = 0; at < released.length; at = end) {
    const first = released[at] ?? 0;
    for (end = at + 1; released[end] === first + (end - at); ) end++;
    effects.push("b", held.rangeText(first, end - at));
  }
}

/** While a lease covers its whole block, it alone tells how many tasks have ended; else the store counts them. */
function finish(held: BlockLease, settled: number, released: number, effects: Effects): void {
  if (held.isWhole && released === 0) {
    if (held.left === 0) effects.push("x", held.id);
    return;
  }
  const finished = held.isWhole ? held.total - held.left - released : settled - released;
  held.isWhole = false;
  if (finished > 0) effects.push("f", held.id, finished, held.total);
}

function endedKeys({ lease, held, settlements }: Plan): readonly string[] {
  const ended = settlements.filter(({ outcome }) => endsTask(outcome) || outcome.kind === "bury");
  if (held.kind === "alone") return ended.map(() => held.key);
  return ended.map(({ index }) => lease.block + INDEX_TEXT[index]);
}
