/**
 * The calls for one queue. Those of one tick travel together, in as few script calls as their order allows: settlements and
 * claims in one that works even when the server is full, enqueues and claims in another that is then refused as a whole.
 * Flushed on nextTick: a microtask would send fragments, a timer would add its delay to every task.
 */
import { storeUnavailable, TaskwireError } from "../../domain/errors.ts";
import type { Lease } from "../../domain/lease.ts";
import { OneAtATime } from "../../lib/one-at-a-time.ts";
import type { ClaimLimit, Enqueued, Grant } from "../store.ts";
import type { ClaimCall, EnqueueCall, LostClaim, Round, SettleCall } from "./calls.ts";
import type { Reply } from "./connection.ts";
import type { Context } from "./context.ts";
import { type Ended, EnqueueBatch, type EnqueueRequest, readSlot } from "./enqueue-batch.ts";
import type { Entry } from "./entry.ts";
import { readGrants } from "./grants.ts";
import type { BlockLease, HeldLease } from "./held-lease.ts";
import { channelName, type Keys, keysOf, queueKeys } from "./keys.ts";
import { notAdmitted } from "./rate.ts";
import { resultSettings } from "./result-settings.ts";
import type { Argument, Script } from "./script.ts";
import { SCRIPTS } from "./scripts.ts";

/** More tasks than this are not put into one script call: nothing else runs meanwhile. */
const MAX_TASKS = 2_000;

/** What this broker holds, with the text that stands in the store once all calls under way are done. */
export interface Holding {
  readonly held: HeldLease;
  readonly expected: string;
}

export class Lane {
  readonly queue: string;
  readonly context: Context;
  readonly held = new Map<number, Holding>();
  /** Tasks of blocks that this broker released lately. */
  readonly released = new Set<string>();
  lostClaims: LostClaim[] = [];
  /** Cancels of what is leased, as far as this broker does not know it; by lease. */
  readonly cancelling = new OneAtATime();
  /**
   * Whether the rate of this queue is limited, as far as is known here: then each call is sent by itself, so that it is charged by
   * itself. The script says when it is otherwise.
   */
  isLimited = false;
  #broker = "";
  #keys: Keys = {};
  #keysByScript = new Map<Script, readonly string[]>();
  #rounds: Round[] = [];
  #isDue = false;
  #underWay = 0;
  /** Claims that are not answered yet. */
  readonly #claiming = new Set<ClaimCall>();

  constructor(queue: string, context: Context) {
    this.queue = queue;
    this.context = context;
  }

  /** Nothing would be lost with it. */
  get isIdle(): boolean {
    return this.held.size === 0 && this.lostClaims.length === 0 && this.#underWay === 0 && this.#rounds.length === 0;
  }

  enqueue(request: EnqueueRequest): Promise<(Enqueued | Ended)[]> {
    return new Promise((resolve, reject) => {
      const last = this.#rounds.at(-1);
      const round = last && last.claims.length === 0 && last.tasks < MAX_TASKS ? last : this.#addRound();
      const { tasks, producer } = request;
      round.enqueues.push({ tasks, producer, resolve, reject });
      round.tasks += tasks.length;
      this.#due();
    });
  }

  claim(limit: ClaimLimit): Promise<Grant[]> {
    return new Promise((resolve, reject) => {
      const firstSequence = this.context.takeSequences(limit.maxTasks);
      const call = { limit, firstSequence, afterwards: [], resolve, reject };
      this.#claiming.add(call);
      (this.#rounds.at(-1) ?? this.#addRound()).claims.push(call);
      this.#due();
    });
  }

  /**
   * A task that this broker leased was cancelled. This is heard on a connection of its own, and so maybe before the answer of the claim:
   * whoever claimed is told after that.
   */
  heardOfCancel(lease: Pick<Lease, "broker" | "sequence">, index: number): void {
    const tell = () => this.context.events.cancelled(lease, index);
    for (const { firstSequence, limit, afterwards } of this.#claiming) {
      if (lease.sequence < firstSequence || lease.sequence >= firstSequence + limit.maxTasks) continue;
      afterwards.push(tell);
      return;
    }
    tell();
  }

  /**
   * Resolves with the entries that did not match what stands in the store.
   * @param isMild it only ends tasks of blocks: then it makes no difference to the enqueues and claims before it
   */
  settle(entries: readonly Entry[], { isMild }: { readonly isMild: boolean }): Promise<ReadonlySet<Entry>> {
    return new Promise((resolve, reject) => {
      const last = this.#rounds.at(-1);
      const fits = last && (isMild || (last.enqueues.length === 0 && last.claims.length === 0));
      (fits ? last : this.#addRound()).settles.push({ entries, resolve, reject });
      this.#due();
    });
  }

  /** As `settle`, for leases that another broker made. */
  settleOf(broker: string, entries: readonly Entry[]): Promise<ReadonlySet<Entry>> {
    if (broker === this.context.broker()) return this.settle(entries, { isMild: false });
    this.flush();
    return new Promise((resolve, reject) => {
      const keys = keysOf(SCRIPTS.settle, queueKeys(this.context.namespace, this.queue, broker));
      void this.#sendSettles([{ entries, resolve, reject }], [], keys);
    });
  }

  /** Runs another script for this queue, after all that was called before it. */
  run(script: Script, args: readonly Argument[], broker = this.context.broker()): Promise<Reply> {
    this.flush();
    if (broker !== this.context.broker()) {
      return this.context.connection.run(
        script,
        keysOf(script, queueKeys(this.context.namespace, this.queue, broker)),
        args,
      );
    }
    return this.context.connection.run(script, this.#keysFor(script), args);
  }

  /** What every script that may wake others is told. */
  wakeArgs(): [channel: string, announce: string] {
    const { namespace, self } = this.context;
    return [channelName(namespace), `r ${self} ${this.queue}`];
  }

  /** Everything that a broker holds of this queue: the texts of its leases, by their numbers. */
  async leasesOf(broker: string): Promise<Map<number, string>> {
    this.flush();
    const { leases = "" } = queueKeys(this.context.namespace, this.queue, broker);
    const flat = asList(await this.context.connection.command("HGETALL", leases));
    const found = new Map<number, string>();
    for (let at = 0; at < flat.length; at += 2) found.set(Number(String(flat[at])), String(flat[at + 1]));
    return found;
  }

  /** What stands in the store of a lease; "" when it is gone. */
  async leaseText(sequence: number, broker: string): Promise<string> {
    this.flush();
    const { leases = "" } = queueKeys(this.context.namespace, this.queue, broker);
    return String((await this.context.connection.command("HGET", leases, sequence)) ?? "");
  }

  /** The records of tasks alone, in order. */
  async records(keys: readonly string[]): Promise<(Buffer | null)[]> {
    const { alone = "" } = queueKeys(this.context.namespace, this.queue, "");
    if (keys.length === 0) return [];
    // HMGET answers with bulk strings or null.
    return (await this.context.connection.command("HMGET", alone, ...keys)) as (Buffer | null)[];
  }

  /** Sends what was called so far. */
  flush(): void {
    const rounds = this.#rounds;
    this.#rounds = [];
    for (const { settles, enqueues, claims } of rounds) {
      if (settles.length > 0 || enqueues.length === 0)
        void this.#sendSettles(settles, enqueues.length > 0 ? [] : claims);
      if (enqueues.length > 0) void this.#sendEnqueues(enqueues, claims);
    }
  }

  #due(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    process.nextTick(() => {
      this.#isDue = false;
      this.flush();
    });
  }

  #addRound(): Round {
    const round: Round = { settles: [], enqueues: [], claims: [], tasks: 0 };
    this.#rounds.push(round);
    return round;
  }

  async #sendSettles(
    settles: readonly SettleCall[],
    claims: readonly ClaimCall[],
    keys = this.#keysFor(SCRIPTS.settle),
  ): Promise<void> {
    const broker = this.context.broker();
    const entries = settles.flatMap((call) => call.entries);
    const { ttlMs, spanMs, share, max } = resultSettings(this.context.options);
    const args: Argument[] = [
      ...this.wakeArgs(),
      broker,
      this.context.nowMs(),
      ttlMs,
      spanMs,
      share,
      max,
      this.context.options.maxDeadPerQueue,
      entries.length,
      claims.length,
    ];
    for (const { head } of entries) for (const arg of head) args.push(arg);
    for (const { effects } of entries) for (const arg of effects) args.push(arg);
    pushClaims(args, claims);
    this.#underWay++;
    try {
      const reply = await this.context.connection.run(SCRIPTS.settle, keys, args);
      const [woke, awaited, mismatches, ...grants] = asList(reply);
      const mismatched = new Set<Entry>();
      for (const number of asList(mismatches)) {
        const entry = entries[Number(number) - 1];
        if (entry) mismatched.add(entry);
      }
      this.#tellEnded(entries, mismatched, awaited === 1);
      for (const call of settles) call.resolve(mismatched);
      this.#grant(claims, grants, broker);
      if (woke === 1) this.context.events.ready(this.queue);
    } catch (error) {
      for (const call of settles) call.reject(error);
      this.#failClaims(claims, error, broker);
    } finally {
      this.#underWay--;
    }
  }

  async #sendEnqueues(enqueues: readonly EnqueueCall[], claims: readonly ClaimCall[]): Promise<void> {
    if (this.isLimited && enqueues.length > 1) {
      const sent = enqueues.map((call, i) => this.#sendEnqueues([call], i === enqueues.length - 1 ? claims : []));
      await Promise.all(sent);
      return;
    }
    const broker = this.context.broker();
    const batch = new EnqueueBatch(enqueues, this.context.nowMs());
    const { calls, types, items, tasks } = batch.counts;
    const isLimited = this.isLimited ? 1 : 0;
    const counts = [tasks, isLimited, calls, types, items, claims.length];
    const args: Argument[] = [...this.wakeArgs(), broker, batch.nonce, ...counts];
    for (const arg of batch.list) args.push(arg);
    pushClaims(args, claims);
    this.#underWay++;
    try {
      const reply = await this.context.connection.run(SCRIPTS.enqueue, this.#keysFor(SCRIPTS.enqueue), args);
      const [kind, answer, woke, ...grants] = asList(reply);
      if (await this.#hasDoneNothing(asList(reply), enqueues, claims)) return;
      if (String(kind) === "added") this.isLimited = false;
      const answers = batch.answers(String(answer));
      for (const [i, call] of enqueues.entries()) call.resolve(answers[i] ?? []);
      this.#grant(claims, grants, broker, (ordinal, lease) => batch.bodies(ordinal, lease));
      if (woke === 1) this.context.events.ready(this.queue);
    } catch (error) {
      for (const call of enqueues) call.reject(error);
      // A full server takes no task, but it hands them out.
      if (error instanceof TaskwireError && error.code === "STORE_FULL" && claims.length > 0)
        void this.#sendSettles([], claims);
      else this.#failClaims(claims, error, broker);
    } finally {
      this.#underWay--;
    }
  }

  /** The script had a reason to do nothing of it: what is to be done is. */
  async #hasDoneNothing(
    reply: readonly Reply[],
    enqueues: readonly EnqueueCall[],
    claims: readonly ClaimCall[],
  ): Promise<boolean> {
    const kind = String(reply[0]);
    if (kind === "repeated") {
      await this.#answerRepeated(reply, enqueues, claims);
      return true;
    }
    if (kind === "limited") {
      this.isLimited = true;
      await this.#sendEnqueues(enqueues, claims);
      return true;
    }
    if (kind !== "refused" && kind !== "above") return false;
    for (const call of enqueues) call.reject(notAdmitted(this.queue, kind, Number(reply[1])));
    if (claims.length > 0) await this.#sendSettles([], claims);
    return true;
  }

  /** Some calls were made before and nothing was done: these get their old answer, the others are sent again. */
  async #answerRepeated(
    reply: readonly Reply[],
    enqueues: readonly EnqueueCall[],
    claims: readonly ClaimCall[],
  ): Promise<void> {
    const made = enqueues.filter(({ producer }) => producer !== undefined);
    const repeated = new Set<EnqueueCall>();
    for (let at = 1; at < reply.length; at += 2) {
      const call = made[Number(reply[at]) - 1];
      if (!call) continue;
      repeated.add(call);
      call.resolve(readSlot(String(reply[at + 1])));
    }
    const others = enqueues.filter((call) => !repeated.has(call));
    if (others.length > 0) await this.#sendEnqueues(others, claims);
    else if (claims.length > 0) await this.#sendSettles([], claims);
  }

  #grant(claims: readonly ClaimCall[], replies: readonly Reply[], broker: string, ownBodies = noOwnBodies): void {
    for (const [i, call] of claims.entries()) {
      const claimed = { queue: this.queue, broker, firstSequence: call.firstSequence, ownBodies };
      const grants = readGrants(replies[i] ?? [], claimed, (sequence, { text, held }) => {
        // After this broker was fenced, what the old id leased is no longer its own.
        if (broker === this.context.broker()) this.held.set(sequence, { held, expected: text });
      });
      call.resolve(grants);
      this.#answered(call);
    }
  }

  #answered(call: ClaimCall): void {
    this.#claiming.delete(call);
    // Not before whoever claimed has gone on with the answer.
    for (const tell of call.afterwards) setImmediate(tell);
  }

  #failClaims(claims: readonly ClaimCall[], error: unknown, broker: string): void {
    const mayHaveHappened = !(error instanceof TaskwireError) || error.effect === "unknown";
    for (const call of claims) {
      const { firstSequence, limit, reject } = call;
      if (mayHaveHappened) {
        const failedAt = performance.now();
        this.lostClaims.push({ broker, first: firstSequence, end: firstSequence + limit.maxTasks, failedAt });
      }
      reject(error);
      this.#answered(call);
    }
  }

  #tellEnded(entries: readonly Entry[], mismatched: ReadonlySet<Entry>, awaited: boolean): void {
    for (const entry of entries) {
      if (mismatched.has(entry)) continue;
      this.context.onEnded(this.queue, entry, awaited);
      for (const delayMs of entry.delaysMs) this.context.events.scheduled(this.queue, delayMs);
    }
  }

  #keysFor(script: Script): readonly string[] {
    const broker = this.context.broker();
    if (broker !== this.#broker) {
      this.#broker = broker;
      this.#keys = queueKeys(this.context.namespace, this.queue, broker);
      this.#keysByScript.clear();
    }
    let keys = this.#keysByScript.get(script);
    if (!keys) {
      keys = keysOf(script, this.#keys);
      this.#keysByScript.set(script, keys);
    }
    return keys;
  }
}

function pushClaims(args: Argument[], claims: readonly ClaimCall[]): void {
  for (const { firstSequence, limit } of claims) args.push(firstSequence, limit.maxTasks, limit.maxBytes);
}

function noOwnBodies(_ordinal: number, _lease: BlockLease): Buffer {
  throw storeUnavailable("a grant came without its bodies", "unknown");
}

function asList(reply: Reply | undefined): readonly Reply[] {
  if (!Array.isArray(reply)) throw new Error("a script answered in another form than it should");
  // Array.isArray narrows a readonly list to any[].
  return reply as readonly Reply[];
}
