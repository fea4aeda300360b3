/**
 * Cancelling. What this broker holds is taken from its lease in memory, in the order of the calls; what waits is ended by one
 * script; what another broker holds is looked for, and taken from that lease as a settlement would, again if someone was faster.
 */
import { pack } from "msgpackr";
import { storeUnavailable } from "../../domain/errors.ts";
import type { Lease } from "../../domain/lease.ts";
import { hasEnded } from "../../domain/state.ts";
import type { Cancelled, Failure, TaskSnapshot } from "../store.ts";
import { planEntry } from "./effects.ts";
import type { Entry } from "./entry.ts";
import { type Place, placeOf } from "./find.ts";
import { type HeldLease, leaseOf, readHeld, resultIndex } from "./held-lease.ts";
import type { Lane } from "./lane.ts";
import { resultSettings } from "./result-settings.ts";
import { SCRIPTS } from "./scripts.ts";
import { remember } from "./settle.ts";

/** Each try loses only against someone who moved the task; a task that goes round and round is not cancelled in the end. */
const MAX_TRIES = 20;

/** Looks that go beyond one script. */
export interface Looks {
  /** All that may hold leases. */
  brokers(): Promise<readonly string[]>;
  find(): Promise<TaskSnapshot | undefined>;
}

interface Found {
  readonly lease: Lease;
  readonly held: HeldLease;
  /** The text that stands in the store. */
  readonly text: string;
}

export async function cancel(lane: Lane, key: string, reason: string, looks: Looks): Promise<Cancelled> {
  const place = placeOf(key);
  const own = heldHere(lane, key, place);
  if (own) {
    const taken = await cancelLeased(lane, key, own, reason);
    if (taken) return taken;
  }
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const answer = await cancelWaiting(lane, key, place, reason);
    if (answer === "done") return { kind: "cancelled", lease: undefined, index: 0 };
    if (answer === "d") return { kind: "ended", state: "dead" };
    const found = await findLease(lane, key, place, await looks.brokers());
    if (found) {
      const taken = await cancelInTurn(lane, key, place, found.lease, reason);
      if (taken) return taken;
      continue;
    }
    const task = await looks.find();
    if (!task) return { kind: "missing" };
    if (hasEnded(task.state)) return { kind: "ended", state: task.state };
  }
  throw storeUnavailable("the task moves all the time", "none");
}

function failureOf(reason: string): Failure {
  return { type: "cancelled", message: reason, stack: "", durationMs: 0, workerId: "" };
}

async function cancelWaiting(lane: Lane, key: string, place: Place | undefined, reason: string): Promise<string> {
  const nowMs = lane.context.nowMs();
  const { ttlMs, spanMs, share, max } = resultSettings(lane.context.options);
  const { block = "", id = "", nonce = "", index = "" } = place ?? {};
  const { type, message, durationMs } = failureOf(reason);
  // The script puts before it what only the record of the task tells: see cancel.lua.
  const tail = Buffer.concat([pack(resultIndex(key)), pack(durationMs), pack([type, message])]);
  const head = [...lane.wakeArgs(), nowMs, ttlMs, spanMs, share, max];
  const reply = await lane.run(SCRIPTS.cancel, [...head, key, block, id, nonce, index, pack(nowMs), tail]);
  // The form that cancel.lua says.
  const [answer, awaited] = reply as readonly [Buffer, number?];
  if (String(answer) === "done") lane.context.onEnded(lane.queue, { endedKeys: () => [key] }, awaited === 1);
  return String(answer);
}

function heldHere(lane: Lane, key: string, place: Place | undefined): Found | undefined {
  const broker = lane.context.broker();
  for (const [sequence, { held, expected }] of lane.held) {
    if (isAbout(held, key, place)) return { lease: leaseOf(lane.queue, broker, sequence, held), held, text: expected };
  }
  return undefined;
}

function isAbout(held: HeldLease, key: string, place: Place | undefined): boolean {
  if (held.kind === "alone") return held.key === key;
  return place !== undefined && held.block === place.block && held.has(place.index);
}

async function findLease(
  lane: Lane,
  key: string,
  place: Place | undefined,
  brokers: readonly string[],
): Promise<Found | undefined> {
  for (const broker of brokers) {
    for (const [sequence, text] of await lane.leasesOf(broker)) {
      const found = await readLease(lane, key, place, { broker, sequence, text });
      if (found) return found;
    }
  }
  return undefined;
}

/** The lease that a text tells of, when the task is in it. */
async function readLease(
  lane: Lane,
  key: string,
  place: Place | undefined,
  { broker, sequence, text }: { readonly broker: string; readonly sequence: number; readonly text: string },
): Promise<Found | undefined> {
  if (text !== `a ${key}` && !(place && text.startsWith(`b ${place.id} `))) return undefined;
  const [record] = text.startsWith("a ") ? await lane.records([key]) : [];
  const held = readHeld(text, record);
  if (!held || !isAbout(held, key, place)) return undefined;
  return { lease: leaseOf(lane.queue, broker, sequence, held), held, text };
}

/**
 * For each lease one at a time, each reading it anew: of many tasks that are leased together all but one would lose otherwise, try
 * after try. Resolves with undefined when someone was faster.
 */
function cancelInTurn(
  lane: Lane,
  key: string,
  place: Place | undefined,
  { broker, sequence }: Lease,
  reason: string,
): Promise<Cancelled | undefined> {
  return lane.cancelling.run(`${broker} ${sequence}`, async () => {
    const text = await lane.leaseText(sequence, broker);
    const found = await readLease(lane, key, place, { broker, sequence, text });
    return found && cancelLeased(lane, key, found, reason);
  });
}

/** Resolves with undefined when someone was faster. */
async function cancelLeased(
  lane: Lane,
  key: string,
  { lease, held, text }: Found,
  reason: string,
): Promise<Cancelled | undefined> {
  const { context } = lane;
  const { broker, sequence } = lease;
  const isOwn = broker === context.broker();
  const index = lease.alone ? 0 : resultIndex(key);
  const move = { lease, index, outcome: { kind: "cancel" as const, failure: failureOf(reason) } };
  const { share } = resultSettings(context.options);
  // Also of a lease of its own: should the answer be lost, this broker learns of the cancel all the same.
  const announce = `c ${context.self} ${lane.queue} ${broker} ${sequence} ${index}`;
  const plan = { lease, held, expected: text, settlements: [move], nowMs: context.nowMs(), resultShare: share };
  const entry = planEntry({ ...plan, announce });
  if (isOwn) remember(lane, sequence, held, entry.following);
  if (!(await isApplied(lane, lease, entry))) return undefined;
  if (isOwn) context.events.cancelled({ broker, sequence }, index);
  return { kind: "cancelled", lease, index };
}

async function isApplied(lane: Lane, { broker, sequence }: Lease, entry: Entry): Promise<boolean> {
  let mismatched = true;
  try {
    mismatched = (await lane.settleOf(broker, [entry])).has(entry);
  } finally {
    // What stands in the store now is not known.
    if (mismatched && broker === lane.context.broker()) lane.held.delete(sequence);
  }
  return !mismatched;
}
