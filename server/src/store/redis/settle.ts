/**
 * Settling. What this broker holds is planned from memory, in the same tick, so that all goes out in the order of the calls.
 * Everything else (another broker's lease, a repeated settlement, a lease that changed meanwhile) is looked up first and
 * then tried as a compare-and-set, again if someone else was faster.
 */
import { storeUnavailable } from "../../domain/errors.ts";
import { type Lease, leasedKey } from "../../domain/lease.ts";
import { findResult } from "../records.ts";
import type { Outcome, Settled, Settlement } from "../store.ts";
import { decodeMeta } from "./alone-value.ts";
import { planEntry, planLateAck } from "./effects.ts";
import type { Entry } from "./entry.ts";
import { isAtFront } from "./find.ts";
import { type HeldLease, readHeld, resultIndex } from "./held-lease.ts";
import { inspect, type Seen } from "./inspect.ts";
import type { Lane } from "./lane.ts";
import { resultSettings } from "./result-settings.ts";
import { wasLostFrom, wasMovedBy } from "./task-state.ts";

/** Each try loses only against someone who got further with the same lease; there are not that many. */
const MAX_TRIES = 20;
/** Releases that are remembered, for each queue, so that a repeated one is told from a stale one. */
const MAX_RELEASED = 1_000;

interface Item {
  readonly settlement: Settlement;
  /** Where its answer goes. */
  readonly place: number;
}

/** The settlements of one lease. */
interface Group {
  readonly lease: Lease;
  readonly items: Item[];
}

/** A group of which some were planned from memory. */
interface Planned {
  readonly group: Group;
  readonly taken: Group;
  /** Repetitions, and what is not outstanding. */
  readonly rest: Group;
}

export async function settleIn(lane: Lane, settlements: readonly Settlement[]): Promise<Settled[]> {
  const answers = new Array<Settled>(settlements.length).fill("stale");
  const planned = new Map<Entry, Planned>();
  const unknown: Group[] = [];
  for (const group of groupByLease(settlements)) {
    const { entry, taken, rest } = planFromMemory(lane, group);
    if (entry) planned.set(entry, { group, taken, rest });
    else unknown.push(group);
  }
  if (planned.size > 0) {
    const mismatched = await settlePlanned(lane, planned, isMild(settlements));
    for (const [entry, { group, taken, rest }] of planned) {
      unknown.push(mismatched.has(entry) ? group : rest);
      if (!mismatched.has(entry)) for (const { place } of taken.items) answers[place] = "settled";
    }
  }
  for (const group of unknown) await settleBySight(lane, group, answers);
  return answers;
}

async function settlePlanned(
  lane: Lane,
  planned: ReadonlyMap<Entry, Planned>,
  mild: boolean,
): Promise<ReadonlySet<Entry>> {
  try {
    const mismatched = await lane.settle([...planned.keys()], { isMild: mild });
    for (const entry of mismatched) {
      const one = planned.get(entry);
      if (one) lane.held.delete(one.group.lease.sequence);
    }
    return mismatched;
  } catch (error) {
    // What stands in the store now is not known.
    for (const { group } of planned.values()) lane.held.delete(group.lease.sequence);
    throw error;
  }
}

function groupByLease(settlements: readonly Settlement[]): Group[] {
  const groups: Group[] = [];
  /** Mostly one of each sequence; but two brokers may use the same, and a token may be made up. */
  const bySequence = new Map<number, Group[]>();
  let last: Group | undefined;
  for (const [place, settlement] of settlements.entries()) {
    const { lease } = settlement;
    if (!last || !isSame(last.lease, lease)) {
      const sameSequence = bySequence.get(lease.sequence);
      last = sameSequence?.find((group) => isSame(group.lease, lease));
      if (!last) {
        last = { lease, items: [] };
        groups.push(last);
        if (sameSequence) sameSequence.push(last);
        else bySequence.set(lease.sequence, [last]);
      }
    }
    last.items.push({ settlement, place });
  }
  // What goes back to the front of the line does so in the order in which it was claimed.
  groups.sort((a, b) => a.lease.sequence - b.lease.sequence);
  for (const { items } of groups) if (items.length > 1) items.sort((a, b) => a.settlement.index - b.settlement.index);
  return groups;
}

function isSame(a: Lease, b: Lease): boolean {
  if (a === b) return true;
  return (
    a.sequence === b.sequence &&
    a.block === b.block &&
    a.attempt === b.attempt &&
    a.alone === b.alone &&
    a.broker === b.broker
  );
}

/** Plans what is held, and changes the memory of it at once: the next call builds on that. */
function planFromMemory(lane: Lane, group: Group): { entry: Entry | undefined; taken: Group; rest: Group } {
  const { lease } = group;
  const holding = lease.broker === lane.context.broker() ? lane.held.get(lease.sequence) : undefined;
  if (!holding || !isAbout(holding.held, lease)) return { entry: undefined, taken: { lease, items: [] }, rest: group };
  const { taken, rest } = split(holding.held, group);
  if (taken.items.length === 0) return { entry: undefined, taken, rest };
  const entry = plan(lane, taken, holding.held, holding.expected);
  remember(lane, lease.sequence, holding.held, entry.following);
  return { entry, taken, rest };
}

/** What is outstanding, each task once, and the others. */
function split(held: HeldLease, { lease, items }: Group): { taken: Group; rest: Group } {
  const taken: Item[] = [];
  const rest: Item[] = [];
  let last = -1;
  for (const item of items) {
    const { index } = item.settlement;
    const isOutstanding = held.kind === "alone" ? index === 0 : held.has(index);
    if (isOutstanding && index !== last) {
      taken.push(item);
      last = index;
    } else {
      rest.push(item);
    }
  }
  return { taken: { lease, items: taken }, rest: { lease, items: rest } };
}

function releaseName({ broker, sequence, attempt, block }: Lease, index: number): string {
  return `${broker} ${sequence} ${attempt} ${block} ${index}`;
}

function noteReleases(lane: Lane, settlements: readonly Settlement[]): void {
  for (const { lease, index, outcome } of settlements) {
    if (outcome.kind === "release" && !lease.alone) lane.released.add(releaseName(lease, index));
  }
  for (const oldest of lane.released) {
    if (lane.released.size <= MAX_RELEASED) return;
    lane.released.delete(oldest);
  }
}

function plan(
  lane: Lane,
  { lease, items }: Group,
  held: HeldLease,
  expected: string,
): Entry & { readonly following: string } {
  const { share } = resultSettings(lane.context.options);
  const settlements = items.map(({ settlement }) => settlement);
  noteReleases(lane, settlements);
  return planEntry({ lease, held, expected, settlements, nowMs: lane.context.nowMs(), resultShare: share });
}

export function remember(lane: Lane, sequence: number, held: HeldLease, text: string): void {
  if (text === "") lane.held.delete(sequence);
  else lane.held.set(sequence, { held, expected: text });
}

/** Several settlements of one task take effect one after the other, each after another look. */
async function settleBySight(lane: Lane, { lease, items }: Group, answers: Settled[]): Promise<void> {
  for (let rest = items; rest.length > 0; ) {
    const wave = rest.filter((item, i) => item.settlement.index !== rest[i - 1]?.settlement.index);
    rest = rest.filter((item) => !wave.includes(item));
    await settleWave(lane, { lease, items: wave }, answers);
  }
}

/** Each task once. */
async function settleWave(lane: Lane, { lease, items }: Group, answers: Settled[]): Promise<void> {
  let open = items;
  for (let tries = 0; open.length > 0; tries++) {
    if (tries === MAX_TRIES) throw storeUnavailable("the lease changes all the time", "none");
    const tasks = open.map(({ settlement: { index } }) => ({ lease, index }));
    const seen = await inspect(lane, tasks);
    const planned = await planBySight(lane, { lease, items: open }, seen, answers);
    open = await applyBySight(lane, lease, planned, answers);
  }
}

/** Answers what needs no change, and plans the rest. */
async function planBySight(
  lane: Lane,
  group: Group,
  seen: readonly Seen[],
  answers: Settled[],
): Promise<Map<Entry, Group>> {
  const { lease } = group;
  const planned = new Map<Entry, Group>();
  const text = seen[0]?.lease ?? "";
  const held = heldAsSeen(text, lease, seen[0]);
  const { taken, rest } = held ? split(held, group) : { taken: { lease, items: [] }, rest: group };
  if (held && taken.items.length > 0) {
    const entry = plan(lane, taken, held, text);
    planned.set(entry, taken);
    if (lease.broker === lane.context.broker()) remember(lane, lease.sequence, held, entry.following);
  }
  for (const item of rest.items) {
    const one = seen[group.items.indexOf(item)];
    if (!one) continue;
    const late = lateAck(lane, item, one);
    if (late) planned.set(late, { lease, items: [item] });
    else answers[item.place] = await judge(lane, item.settlement, one);
  }
  return planned;
}

/** Returns what must be looked at again, because someone else was faster. */
async function applyBySight(
  lane: Lane,
  lease: Lease,
  planned: ReadonlyMap<Entry, Group>,
  answers: Settled[],
): Promise<Item[]> {
  if (planned.size === 0) return [];
  const again: Item[] = [];
  let mismatched: ReadonlySet<Entry>;
  try {
    mismatched = await lane.settleOf(lease.broker, [...planned.keys()]);
  } catch (error) {
    lane.held.delete(lease.sequence);
    throw error;
  }
  for (const [entry, { items }] of planned) {
    if (mismatched.has(entry)) again.push(...items);
    else for (const { place } of items) answers[place] = "settled";
  }
  if (again.length > 0 && lease.broker === lane.context.broker()) lane.held.delete(lease.sequence);
  return again;
}

/** A lease as it was found, if it is about these tasks. */
function heldAsSeen(text: string, lease: Lease, seen: Seen | undefined): HeldLease | undefined {
  const held = text === "" ? undefined : readHeld(text, seen?.record);
  return held && isAbout(held, lease) ? held : undefined;
}

function isAbout(held: HeldLease, lease: Lease): boolean {
  if (held.kind === "alone") return lease.alone && held.key === lease.block && held.record.attempt === lease.attempt;
  return !lease.alone && lease.attempt === 1 && held.block === lease.block;
}

function lateAck(lane: Lane, { settlement }: Item, { state, record, key }: Seen): Entry | undefined {
  const { lease, outcome } = settlement;
  if (outcome.kind !== "ack" || record === undefined || !wasLostFrom(state, lease)) return undefined;
  const alone = decodeMeta(record);
  if (alone.attempt !== lease.attempt) return undefined;
  const { share } = resultSettings(lane.context.options);
  const nowMs = lane.context.nowMs();
  return planLateAck({ lease, settlements: [settlement], nowMs, resultShare: share }, key, state, alone);
}

/** Whether a lease that is not current was ended by this very settlement. */
async function judge(lane: Lane, { lease, index, outcome }: Settlement, seen: Seen): Promise<Settled> {
  if (seen.record !== undefined) {
    // A retry has counted the attempt up.
    const attempt = decodeMeta(seen.record).attempt - (outcome.kind === "retry" ? 1 : 0);
    return attempt === lease.attempt && wasMovedBy(seen.state, outcome.kind, lease) ? "settled" : "stale";
  }
  for (const records of seen.results) {
    const found = findResult(records, resultIndex(leasedKey(lease, index)));
    if (!found) continue;
    const { broker, sequence, attempt } = found;
    const isSameLease = broker === lease.broker && sequence === lease.sequence && attempt === lease.attempt;
    return isSameLease && outcomeEnds(outcome) && found.success === (outcome.kind === "ack") ? "settled" : "stale";
  }
  // A task of a block that was released bears no trace of it; but this broker remembers what it did lately.
  if (outcome.kind !== "release" || !lane.released.has(releaseName(lease, index))) return "stale";
  return (await isAtFront(lane, leasedKey(lease, index))) ? "settled" : "stale";
}

function outcomeEnds({ kind }: Outcome): boolean {
  return kind === "ack" || kind === "discard";
}

/** Acks and discards of tasks of blocks: see `Lane.settle`. */
function isMild(settlements: readonly Settlement[]): boolean {
  return settlements.every(({ lease, outcome }) => !lease.alone && outcomeEnds(outcome));
}
