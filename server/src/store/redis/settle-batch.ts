/**
 * The settlements of one tick for one queue.
 *
 * Leases of this broker are known from memory, so one script call does. Where memory turns out to be wrong (another broker
 * settled some of the tasks by token), and for leases of other brokers, what stands in Redis is read first.
 */
import { type Lease, leasedKey } from "../../domain/lease.ts";
import { groupBy } from "../../lib/group-by.ts";
import type { Settled, Settlement } from "../store.ts";
import type { AloneMeta } from "./alone-record.ts";
import { type Context, SCRIPTS, scriptKeys } from "./context.ts";
import { readFound } from "./find.ts";
import { blockKeyOf, parseLease, type LeaseState } from "./lease-text.ts";
import type { OwnLeases } from "./own-leases.ts";
import type { Argument } from "./script.ts";
import { Entry, FATES, stateText } from "./settle-entry.ts";

/** Tries after which a lease that changes under our hands is given up as stale. */
const MAX_TRIES = 5;
/** Buckets over the life of a result: one is dropped as a whole, so results live up to this part longer. */
const BUCKETS = 8;

export interface SettleCall {
  readonly settlements: readonly Settlement[];
  resolve(settled: readonly Settled[]): void;
  reject(error: unknown): void;
}

/** An entry on its way, and what it settles. */
interface Sent {
  readonly entry: Entry;
  readonly settlements: readonly Settlement[];
}

export class SettleBatch {
  readonly #context: Context;
  readonly #queue: string;
  readonly #calls: readonly SettleCall[];
  readonly #leases: OwnLeases;
  readonly #answers = new Map<Settlement, Settled>();

  constructor(context: Context, queue: string, calls: readonly SettleCall[], leases: OwnLeases) {
    this.#context = context;
    this.#queue = queue;
    this.#calls = calls;
    this.#leases = leases;
  }

  /** Sends what memory knows of together with `claims`; then sees to the rest. */
  async send(claims: readonly Argument[], onGrants: (replies: readonly unknown[]) => void, onClaimsFailed: (error: unknown) => void): Promise<void> {
    const broker = this.#context.brokerId();
    const unknown: Settlement[] = [];
    const sent = this.#entriesFromMemory(broker, unknown);
    try {
      if (sent.length > 0 || claims.length > 0) {
        const { mismatched, grants } = await this.#run(broker, sent, claims);
        onGrants(grants);
        unknown.push(...mismatched);
      }
    } catch (error) {
      onClaimsFailed(error);
      // Whether Redis did it is not known: the next settlement of these leases looks first.
      for (const { settlements } of sent) this.#forget(settlements);
      this.#failAll(error);
      return;
    }
    await this.#finish(unknown);
  }

  async #finish(unknown: readonly Settlement[]): Promise<void> {
    try {
      for (const [broker, settlements] of groupBy(unknown, ({ lease }) => lease.broker)) await this.#settleRead(broker, settlements);
    } catch (error) {
      this.#failAll(error);
      return;
    }
    for (const { settlements, resolve } of this.#calls) resolve(settlements.map((settlement) => this.#answers.get(settlement) ?? "settled"));
  }

  #failAll(error: unknown): void {
    for (const { reject } of this.#calls) reject(error);
  }

  #forget(settlements: readonly Settlement[]): void {
    for (const { lease } of settlements) this.#leases.forget(lease.sequence);
  }

  #entriesFromMemory(broker: string, unknown: Settlement[]): Sent[] {
    const sent: Sent[] = [];
    const byLease = groupBy(this.#calls.flatMap(({ settlements }) => settlements), ({ lease }) => (lease.broker === broker ? lease.sequence : 0));
    for (const [sequence, settlements] of byLease) {
      const own = this.#leases.get(sequence);
      if (!own) unknown.push(...settlements);
      else {
        const entry = this.#entry(own.state, own.meta, settlements, unknown);
        if (entry) sent.push(entry);
        if (own.state.kind === "alone" || own.state.left === 0) this.#leases.forget(sequence);
      }
    }
    return sent;
  }

  /** An entry for those settlements that the lease covers; the others go to `unknown`. */
  #entry(state: LeaseState, meta: AloneMeta | undefined, settlements: readonly Settlement[], unknown: Settlement[]): Sent | undefined {
    const nowMs = this.#context.clock.nowMs();
    const keepsResults = this.#context.options.maxResultsPerQueue > 0;
    if (state.kind === "alone") {
      const [first, ...others] = settlements;
      unknown.push(...others);
      if (!first) return undefined;
      if (!meta || !first.lease.alone || first.lease.block !== state.key || first.lease.attempt !== meta.attempt) {
        unknown.push(first);
        return undefined;
      }
      return { entry: Entry.alone(state.key, meta, first, nowMs, keepsResults), settlements: [first] };
    }
    const block = blockKeyOf(state);
    const current: Settlement[] = [];
    const seen = new Set<number>();
    for (const settlement of settlements) {
      const { lease, index } = settlement;
      const isCurrent = !lease.alone && lease.attempt === 1 && state.outstanding[index - state.first] === 1 && !seen.has(index);
      if (isCurrent && lease.block === block) {
        current.push(settlement);
        seen.add(index);
      } else unknown.push(settlement);
    }
    if (current.length === 0) return undefined;
    return { entry: Entry.block(state, current, nowMs, keepsResults), settlements: current };
  }

  async #run(broker: string, sent: readonly Sent[], claims: readonly Argument[]): Promise<{ mismatched: Settlement[]; grants: unknown[] }> {
    const { commands, keys, options, brokerId, events, wakeups } = this.#context;
    const { resultTtlMs, maxResultsPerQueue } = options;
    const span = Math.max(10, Math.floor(resultTtlMs / BUCKETS));
    const share = Math.max(1, Math.floor(maxResultsPerQueue / BUCKETS));
    const args: Argument[] = [keys.readyChannel, `${brokerId()} ${this.#queue}`, broker, resultTtlMs, span, share, maxResultsPerQueue, sent.length, claims.length / 3];
    for (const { entry } of sent) args.push(...entry.args());
    const reply = await commands.run(SCRIPTS.settle, scriptKeys(this.#context, SCRIPTS.settle, this.#queue, broker), [...args, ...claims]);
    // As the script's header says.
    const [woke, isAwaited, places, ...grants] = reply as [number, number, number[], ...unknown[]];
    const mismatched = places.flatMap((place) => sent[place - 1]?.settlements ?? []);
    this.#forget(mismatched);
    const missed = new Set(mismatched);
    const settled = sent.flatMap(({ settlements }) => settlements).filter((settlement) => !missed.has(settlement));
    if (woke === 1) events().ready(this.#queue);
    this.#tellScheduled(settled);
    wakeups.ended(this.#queue, settled.filter(({ outcome }) => ENDS.has(outcome.kind)).map(({ lease, index }) => leasedKey(lease, index)), isAwaited === 1);
    return { mismatched, grants };
  }

  #tellScheduled(settled: readonly Settlement[]): void {
    for (const { outcome } of settled) {
      if (outcome.kind === "retry" || outcome.kind === "snooze") this.#context.events().scheduled(this.#queue, outcome.delayMs);
    }
  }

  /** Reads the leases as they stand, and settles what they cover; what they do not cover was settled before, or is stale. */
  async #settleRead(broker: string, settlements: readonly Settlement[]): Promise<void> {
    let rest = settlements;
    for (let tries = 0; rest.length > 0 && tries < MAX_TRIES; tries++) {
      const uncovered: Settlement[] = [];
      const sent: Sent[] = [];
      for (const group of groupBy(rest, ({ lease }) => lease.sequence).values()) {
        const [first] = group;
        const read = first && (await this.#readLease(first.lease));
        if (!read) uncovered.push(...group);
        else {
          const entry = this.#entry(read.state, read.meta, group, uncovered);
          if (entry) sent.push(entry);
        }
      }
      for (const settlement of uncovered) {
        const late = await this.#settleUncovered(settlement);
        if (late) sent.push(late);
      }
      rest = sent.length > 0 ? (await this.#run(broker, sent, [])).mismatched : [];
    }
    for (const settlement of rest) this.#answers.set(settlement, "stale");
  }

  async #readLease(lease: Lease): Promise<{ state: LeaseState; meta: AloneMeta | undefined } | undefined> {
    const { commands, keys } = this.#context;
    const text = await commands.guard(() => commands.connection.hget(keys.leases(this.#queue, lease.broker), String(lease.sequence)));
    if (text === null) return undefined;
    const state = parseLease(text);
    if (state.kind === "block") return { state, meta: undefined };
    return { state, meta: (await readFound(this.#context, this.#queue, state.key)).alone?.meta };
  }

  /** Answers a settlement whose lease is gone; or, for the ack of a lost delivery, makes the entry that still counts. */
  async #settleUncovered(settlement: Settlement): Promise<Sent | undefined> {
    const { lease, index, outcome } = settlement;
    if (outcome.kind === "release" || outcome.kind === "lose") {
      // It is not this lease's any more, which is all that was asked for.
      return undefined;
    }
    const key = leasedKey(lease, index);
    const found = await readFound(this.#context, this.#queue, key);
    const fate = stateText("s", FATES[outcome.kind], lease).slice(1);
    if (found.alone && found.stateText.slice(1) === fate) return undefined;
    const { result } = found;
    if (result && result.broker === lease.broker && result.sequence === lease.sequence) {
      if (result.success !== (outcome.kind === "ack")) this.#answers.set(settlement, "stale");
      return undefined;
    }
    if (outcome.kind === "ack" && found.alone && found.stateText === stateText("r", FATES.lose, lease)) {
      const keepsResults = this.#context.options.maxResultsPerQueue > 0;
      return { entry: Entry.late(key, found.alone.meta, settlement, this.#context.clock.nowMs(), keepsResults), settlements: [settlement] };
    }
    this.#answers.set(settlement, "stale");
    return undefined;
  }
}

const ENDS: ReadonlySet<string> = new Set(["ack", "bury", "discard"]);
