/**
 * The calls for one queue. Those of one tick travel together: settlements and claims in one script, enqueues in another,
 * which then takes the claims as well. The second is a script of its own because Redis must be able to refuse it when
 * memory is short, and never the first.
 */
import type { ClaimLimit, Grant, NewTask, Producer, Enqueued, Settled, Settlement } from "../store.ts";
import { type Context, SCRIPTS, scriptKeys } from "./context.ts";
import { answerAgain, EnqueueBatch, type EnqueueCall } from "./enqueue-batch.ts";
import { readGrants } from "./grants.ts";
import { findSnapshot } from "./find.ts";
import { OwnLeases } from "./own-leases.ts";
import type { Argument } from "./script.ts";
import { type SettleCall, SettleBatch } from "./settle-batch.ts";

/** Tasks in one script call: more would keep Redis from others for too long. */
const MAX_CALL_TASKS = 2_000;

interface ClaimCall {
  readonly limit: ClaimLimit;
  readonly firstSequence: number;
  resolve(grants: readonly Grant[]): void;
  reject(error: unknown): void;
}

export class Lane {
  readonly #context: Context;
  readonly #queue: string;
  readonly #leases: OwnLeases;
  #enqueues: EnqueueCall[] = [];
  #claims: ClaimCall[] = [];
  #settles: SettleCall[] = [];
  #flushing = false;

  constructor(context: Context, queue: string, leases: OwnLeases) {
    this.#context = context;
    this.#queue = queue;
    this.#leases = leases;
  }

  enqueue(tasks: readonly NewTask[], producer: Producer | undefined): Promise<readonly Enqueued[]> {
    return new Promise((resolve, reject) => {
      this.#enqueues.push({ tasks, producer, resolve, reject });
      this.#flushSoon();
    });
  }

  claim(limit: ClaimLimit): Promise<readonly Grant[]> {
    return new Promise((resolve, reject) => {
      this.#claims.push({ limit, firstSequence: this.#leases.reserve(limit.maxTasks), resolve, reject });
      this.#flushSoon();
    });
  }

  settle(settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    return new Promise((resolve, reject) => {
      this.#settles.push({ settlements, resolve, reject });
      this.#flushSoon();
    });
  }

  /** After all that this tick brings: a microtask would cut the batch short, a timer would hold it up. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    process.nextTick(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const [enqueues, claims, settles] = [this.#enqueues, this.#claims, this.#settles];
    [this.#enqueues, this.#claims, this.#settles] = [[], [], []];
    const groups = portions(enqueues);
    if (settles.length > 0 || groups.length === 0) void this.#sendSettles(settles, groups.length === 0 ? claims : []);
    for (const [i, group] of groups.entries()) void this.#sendEnqueues(group, i === groups.length - 1 ? claims : []);
  }

  async #sendSettles(calls: readonly SettleCall[], claims: readonly ClaimCall[]): Promise<void> {
    const batch = new SettleBatch(this.#context, this.#queue, calls, this.#leases);
    await batch.send(claims.flatMap(claimArgs), (reply) => this.#answerClaims(claims, reply, []), (error) => {
      for (const claim of claims) claim.reject(error);
    });
  }

  async #sendEnqueues(calls: readonly EnqueueCall[], claims: readonly ClaimCall[]): Promise<void> {
    const { commands, keys, clock, brokerId } = this.#context;
    const broker = brokerId();
    const batch = new EnqueueBatch(calls, clock.nowMs());
    const args: Argument[] = [keys.readyChannel, `${broker} ${this.#queue}`, broker, ...batch.args(claims.flatMap(claimArgs))];
    try {
      // The script answers with a word, and what belongs to it.
      const reply = (await commands.run(SCRIPTS.enqueue, scriptKeys(this.#context, SCRIPTS.enqueue, this.#queue, broker), args)) as unknown[];
      if (String(reply[0]) === "repeated") return this.#answerRepeated(batch, reply.slice(1), claims);
      const answers = batch.answers(String(reply[1]), (key) => this.#endedState(key));
      for (const [i, call] of calls.entries()) call.resolve(answers[i] ?? []);
      this.#tellScheduled(calls);
      this.#tellReady(reply[2]);
      this.#answerClaims(claims, reply.slice(3), batch.blocks);
    } catch (error) {
      for (const call of calls) call.reject(error);
      for (const claim of claims) claim.reject(error);
    }
  }

  /** Nothing was done: those that were made before are answered as then, the others are sent once more. */
  async #answerRepeated(batch: EnqueueBatch, reply: readonly unknown[], claims: readonly ClaimCall[]): Promise<void> {
    const repeated = new Set<EnqueueCall>();
    for (let i = 0; i < reply.length; i += 2) {
      const call = batch.producerCalls[Number(reply[i]) - 1];
      if (!call) continue;
      repeated.add(call);
      call.resolve(answerAgain(String(reply[i + 1]), (key) => this.#endedState(key)));
    }
    const rest = batch.calls.filter((call) => !repeated.has(call));
    if (rest.length > 0) await this.#sendEnqueues(rest, claims);
    else await this.#sendSettles([], claims);
  }

  /** Existing tasks of which the script knows only that they have ended. */
  async #endedState(key: string) {
    return (await findSnapshot(this.#context, this.#queue, key))?.state ?? "completed";
  }

  #tellScheduled(calls: readonly EnqueueCall[]): void {
    const nowMs = this.#context.clock.nowMs();
    for (const { tasks } of calls) {
      for (const { delayMs, runAtMs } of tasks) {
        if (delayMs > 0) this.#context.events().scheduled(this.#queue, delayMs);
        else if (runAtMs > 0) this.#context.events().scheduled(this.#queue, Math.max(0, runAtMs - nowMs));
      }
    }
  }

  #tellReady(woke: unknown): void {
    if (woke === 1) this.#context.events().ready(this.#queue);
  }

  #answerClaims(claims: readonly ClaimCall[], replies: readonly unknown[], sent: EnqueueBatch["blocks"]): void {
    const broker = this.#context.brokerId();
    for (const [i, { firstSequence, resolve }] of claims.entries()) {
      // Each claim's grants are a list.
      const granted = readGrants(replies[i] as unknown[], { queue: this.#queue, broker, firstSequence }, sent);
      for (const { grant, lease } of granted) this.#leases.add(grant.sequence, lease);
      resolve(granted.map(({ grant }) => grant));
    }
  }
}

function claimArgs({ limit, firstSequence }: ClaimCall): Argument[] {
  return [firstSequence, limit.maxTasks, Math.min(limit.maxBytes, Number.MAX_SAFE_INTEGER)];
}

/** Cuts the calls of a tick so that no script has too much to do. */
function portions(calls: readonly EnqueueCall[]): EnqueueCall[][] {
  const groups: EnqueueCall[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const call of calls) {
    if (size + call.tasks.length > MAX_CALL_TASKS) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)?.push(call);
    size += call.tasks.length;
  }
  return groups;
}
