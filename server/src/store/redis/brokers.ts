/** Which brokers are alive, and giving away what dead ones leased. */
import type { Lease } from "../../domain/lease.ts";
import { blockKey } from "../../domain/ids.ts";
import type { Settlement } from "../store.ts";
import { type Context, SCRIPTS } from "./context.ts";
import { parseLease } from "./lease-text.ts";
import { SettleBatch } from "./settle-batch.ts";
import { OwnLeases } from "./own-leases.ts";

/** How long a broker that was given up is looked after: it may wake up, and lease once more before it notices. */
const FENCED_KEEP_MS = 60 * 60 * 1_000;
/** How often the leases of those are looked for again. */
const SWEEP_MS = 2_000;

export class Brokers {
  readonly #context: Context;
  readonly #queues: () => Promise<readonly string[]>;
  #renewedAtMs = 0;
  #steadySinceMs = 0;
  #sweptAtMs = 0;

  constructor(context: Context, queues: () => Promise<readonly string[]>) {
    this.#context = context;
    this.#queues = queues;
  }

  /** A new broker is taken up, whatever the list says. */
  async renew(kind: "new" | "known"): Promise<"alive" | "fenced"> {
    const { commands, keys, options, brokerId, clock } = this.#context;
    const askedAtMs = Date.now();
    const args = [brokerId(), options.brokerTimeoutMs, kind === "new" ? 1 : 0];
    // As the script's header says.
    const [word, nowMs] = (await commands.run(SCRIPTS.renew, [keys.global("brokers")], args)) as [Buffer, number];
    clock.set(nowMs, askedAtMs);
    const late = askedAtMs - this.#renewedAtMs > options.brokerTimeoutMs / 2 || Date.now() - askedAtMs > options.brokerTimeoutMs / 4;
    this.#renewedAtMs = askedAtMs;
    if (late) this.#steadySinceMs = Date.now();
    return word.toString() === "alive" ? "alive" : "fenced";
  }

  async reap(): Promise<number> {
    const { commands, keys, options } = this.#context;
    // When Redis, or this process, has just stalled, every broker looks dead. They get the time to say otherwise.
    if (Date.now() - this.#steadySinceMs < options.brokerTimeoutMs) return 0;
    const args = [FENCED_KEEP_MS];
    const [given, fenced] = (await commands.run(SCRIPTS.reap, [keys.global("brokers"), keys.global("fenced")], args)) as [Buffer[], Buffer[]];
    const isSweep = Date.now() - this.#sweptAtMs > SWEEP_MS;
    if (isSweep) this.#sweptAtMs = Date.now();
    const dead = (isSweep ? fenced : given).map(String);
    let reaped = 0;
    for (const broker of dead) reaped += await this.giveAway(broker);
    return reaped;
  }

  /** Gives away all that a broker leased, in all queues. Returns how many tasks. */
  async giveAway(broker: string): Promise<number> {
    const queues = await this.#queues();
    const counts = await Promise.all(queues.map((queue) => this.#giveAwayQueue(queue, broker)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async #giveAwayQueue(queue: string, broker: string): Promise<number> {
    const { commands, keys } = this.#context;
    let given = 0;
    for (;;) {
      const [, fields] = await commands.guard(() => commands.connection.hscan(keys.leases(queue, broker), 0, "COUNT", 100));
      if (fields.length === 0) return given;
      const settlements: Settlement[] = [];
      for (let i = 0; i < fields.length; i += 2) settlements.push(...loseAll({ queue, broker, sequence: Number(fields[i]) }, fields[i + 1] ?? ""));
      await settleAs(this.#context, queue, settlements);
      given += settlements.length;
    }
  }
}

function loseAll(origin: Pick<Lease, "queue" | "broker" | "sequence">, text: string): Settlement[] {
  const outcome = { kind: "lose", count: 0 } as const;
  const state = parseLease(text);
  // The attempt of a task alone is in its record; settling reads it from there.
  if (state.kind === "alone") return [{ lease: { ...origin, block: state.key, alone: true, attempt: 0 }, index: 0, outcome }];
  const lease = { ...origin, block: blockKey(state.name), alone: false, attempt: 1 };
  return [...state.outstanding.entries()].filter(([, bit]) => bit === 1).map(([i]) => ({ lease, index: state.first + i, outcome }));
}

/** Settles leases of any broker, reading each first. */
async function settleAs(context: Context, queue: string, settlements: readonly Settlement[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const batch = new SettleBatch(context, queue, [{ settlements, resolve: () => resolve(), reject }], new OwnLeases());
    void batch.send([], () => {}, () => {});
  });
}
