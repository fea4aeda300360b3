/**
 * What a settlement does in Redis. The script only compares a lease with what it should be, and then applies effects; all
 * that is to be decided is decided here.
 */
import { INDEX_TEXT } from "../../domain/ids.ts";
import type { Lease } from "../../domain/lease.ts";
import { encodeResults, type ResultEntry } from "../records.ts";
import type { Failure, Outcome, Settlement } from "../store.ts";
import { type AloneMeta, dueMember, encodeMeta, rankOf } from "./alone-record.ts";
import { backItem, type BlockLease, blockKeyOf, leaseText } from "./lease-text.ts";
import type { Argument } from "./script.ts";

/** A result above this has a field of its own: the packed ones of a block are read and written together. */
const LARGE_RESULT_BYTES = 1_024;

/** How a task's last lease was settled, for the state of a task alone: makes a repeated settlement recognisable. */
export const FATES = { ack: "k", retry: "t", snooze: "z", release: "f", lose: "l", bury: "b", discard: "x" } as const satisfies Record<Outcome["kind"], string>;

/** The state of a task alone: a letter, how its last lease was settled, and which that was. */
export function stateText(letter: "s" | "r" | "a" | "d", fate: string, { broker, sequence }: Pick<Lease, "broker" | "sequence">): string {
  return `${letter}${fate}${broker}:${sequence}`;
}

/** What a task alone was before, so far as it matters. */
const FRESH: Omit<AloneMeta, "hasOptions" | "enqueuedAtMs"> = { priority: 0, attempt: 1, lostCount: 0, runAtMs: 0, lastFailure: undefined, lastEndedAtMs: 0 };

/** One comparison, and its effects when it holds. */
export class Entry {
  readonly #head: Argument[];
  readonly #effects: Argument[] = [];
  readonly #counts = new Map<string, number>();
  readonly #nowMs: number;
  readonly #keepsResults: boolean;
  #effectCount = 0;

  constructor(head: readonly Argument[], nowMs: number, keepsResults: boolean) {
    this.#head = [...head];
    this.#nowMs = nowMs;
    this.#keepsResults = keepsResults;
  }

  args(): Argument[] {
    for (const [name, n] of this.#counts) this.#effect("c", name, n);
    return [...this.#head, this.#effectCount, ...this.#effects];
  }

  #effect(...effect: Argument[]): void {
    this.#effects.push(...effect);
    this.#effectCount++;
  }

  #count(name: string, n: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + n);
  }

  /** Tasks of a block. `settlements` are all outstanding in `lease`, which is changed to what it is afterwards. */
  static block(lease: BlockLease, settlements: readonly Settlement[], nowMs: number, keepsResults: boolean): Entry {
    const before = leaseText(lease);
    const isUntouched = lease.isWhole && lease.left === lease.outstanding.length;
    for (const { index } of settlements) lease.outstanding[index - lease.first] = 0;
    lease.left -= settlements.length;
    const first = settlements[0];
    const entry = new Entry(["l", first?.lease.sequence ?? 0, before, leaseText(lease)], nowMs, keepsResults);
    const results: ResultEntry[] = [];
    const released: number[] = [];
    let gone = 0;
    for (const { lease: origin, index, outcome } of settlements) {
      const key = `${blockKeyOf(lease)}${INDEX_TEXT[index]}`;
      if (outcome.kind === "release") {
        released.push(index);
        continue;
      }
      gone++;
      if (outcome.kind === "ack" || outcome.kind === "discard") entry.#end(origin, { key, index, outcome }, results);
      else {
        const meta = { ...FRESH, hasOptions: lease.hasOptions, enqueuedAtMs: lease.name.timeMs };
        entry.#move({ blockId: lease.id, index, key, meta, origin }, outcome);
      }
    }
    if (first && results.length > 0) entry.#record(blockKeyOf(lease), first.lease, 0, results);
    entry.#putBack(lease, released);
    if (gone === lease.total && isUntouched) entry.#effect("x", lease.id);
    else if (gone > 0) entry.#effect("f", lease.id, gone, lease.total);
    entry.#count("settled", settlements.length);
    return entry;
  }

  /** A task alone. */
  static alone(key: string, meta: AloneMeta, { lease, outcome }: Settlement, nowMs: number, keepsResults: boolean): Entry {
    const entry = new Entry(["l", lease.sequence, `a ${key}`, ""], nowMs, keepsResults);
    entry.#count("settled", 1);
    if (outcome.kind === "ack" || outcome.kind === "discard") entry.#endAlone(key, meta, lease, outcome);
    else entry.#move({ blockId: "", index: 0, key, meta, origin: lease }, outcome);
    return entry;
  }

  /** The ack of a task whose delivery was lost, and that nobody has claimed since. */
  static late(key: string, meta: AloneMeta, { lease, outcome }: Settlement, nowMs: number, keepsResults: boolean): Entry {
    const state = stateText("r", FATES.lose, lease);
    const entry = new Entry(["s", key, state, ""], nowMs, keepsResults);
    entry.#count("ready", -1);
    entry.#endAlone(key, meta, lease, outcome);
    return entry;
  }

  #endAlone(key: string, meta: AloneMeta, lease: Lease, outcome: Outcome): void {
    const results: ResultEntry[] = [];
    this.#end(lease, { key: "", index: 0, outcome }, results);
    this.#record(key, lease, meta.lostCount, results);
    this.#effect("e", key);
  }

  #end(lease: Lease, { key, index, outcome }: { key: string; index: number; outcome: Outcome }, results: ResultEntry[]): void {
    if (outcome.kind === "ack") {
      this.#count("completed", 1);
      const entry = { index, durationMs: outcome.durationMs, workerId: outcome.workerId, result: outcome.result, failure: undefined };
      if (key !== "" && (outcome.result?.length ?? 0) > LARGE_RESULT_BYTES) this.#record(key, lease, 0, [entry]);
      else results.push(entry);
    } else if (outcome.kind === "discard") {
      this.#count("failed", 1);
      const { type, message, durationMs, workerId } = outcome.failure;
      results.push({ index, durationMs, workerId, result: undefined, failure: { type, message } });
    }
  }

  #record(field: string, { broker, sequence, attempt }: Lease, lostCount: number, entries: readonly ResultEntry[]): void {
    if (!this.#keepsResults) return;
    this.#effect("r", field, entries.length, encodeResults({ broker, sequence, attempt, lostCount, endedAtMs: this.#nowMs, entries }));
  }

  #putBack(lease: BlockLease, released: number[]): void {
    released.sort((a, b) => a - b);
    for (let i = 0; i < released.length; ) {
      const first = released[i] ?? 0;
      let count = 1;
      while (released[i + count] === first + count) count++;
      this.#effect("b", backItem(lease, first, count));
      i += count;
    }
    if (released.length > 0) this.#count("ready", released.length);
  }

  #move({ blockId, index, key, meta, origin }: Moving, outcome: Outcome): void {
    const place = (letter: "s" | "r" | "d") => stateText(letter, FATES[outcome.kind], origin);
    const move = (after: AloneMeta, state: string, to: "s" | "d" | "f", a: Argument, b: Argument) =>
      this.#effect("m", blockId, index, key, encodeMeta(after), state, to, a, b);
    switch (outcome.kind) {
      case "retry": {
        const after = { ...this.#failed(meta, outcome.failure), attempt: meta.attempt + 1, runAtMs: this.#nowMs + outcome.delayMs };
        this.#count("retried", 1);
        move(after, place("s"), "s", dueMember(key, meta.priority), outcome.delayMs);
        break;
      }
      case "snooze":
        move({ ...meta, runAtMs: this.#nowMs + outcome.delayMs }, place("s"), "s", dueMember(key, meta.priority), outcome.delayMs);
        break;
      case "bury":
        move(this.#failed(meta, outcome.failure), place("d"), "d", "", "");
        break;
      case "lose":
        if (outcome.count > 0) this.#count("lost", 1);
        this.#count("ready", 1);
        move({ ...meta, lostCount: meta.lostCount + outcome.count }, place("r"), "f", rankOf(meta.priority), "");
        break;
      case "release":
        this.#count("ready", 1);
        move(meta, place("r"), "f", rankOf(meta.priority), "");
        break;
      case "ack":
      case "discard":
        throw new Error(`a task does not go on after ${outcome.kind}`);
    }
  }

  #failed(meta: AloneMeta, failure: Failure): AloneMeta {
    this.#count("failed", 1);
    return { ...meta, lastFailure: failure, lastEndedAtMs: this.#nowMs };
  }
}

interface Moving {
  /** The entry of the block that it leaves; "" when it was alone. */
  readonly blockId: string;
  readonly index: number;
  readonly key: string;
  readonly meta: AloneMeta;
  readonly origin: Lease;
}
