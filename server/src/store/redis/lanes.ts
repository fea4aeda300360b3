/** The lanes of all queues that are in use, and the order of what is called for a queue while it is put on the list of queues. */
import type { Context } from "./context.ts";
import { giveAway } from "./give-away.ts";
import { Lane } from "./lane.ts";
import type { QueueRegistry } from "./queue-registry.ts";

const MAX_LANES = 10_000;
/** An answer that was lost may belong to a call that is still to run, for as long as a server may hold it back. */
const LOST_CLAIM_MS = 15_000;

export class Lanes {
  readonly #context: Context;
  readonly #registry: QueueRegistry;
  readonly #lanes = new Map<string, Lane>();
  /** Queues that are being registered: what is called for them meanwhile waits, to keep the order. */
  readonly #gates = new Map<string, Promise<Error | undefined>>();

  constructor(context: Context, registry: QueueRegistry) {
    this.#context = context;
    this.#registry = registry;
  }

  of(queue: string): Lane {
    let lane = this.#lanes.get(queue);
    if (!lane) {
      if (this.#lanes.size >= MAX_LANES) this.#forgetIdle();
      lane = new Lane(queue, this.#context);
      this.#lanes.set(queue, lane);
    }
    return lane;
  }

  /** Callers ask after queues that never were. */
  #forgetIdle(): void {
    for (const [queue, lane] of this.#lanes) if (lane.isIdle) this.#lanes.delete(queue);
  }

  /** What a call waits for that is to keep its place behind those before it; undefined: it need not wait. */
  gate(queue: string): Promise<Error | undefined> | undefined {
    return this.#gates.get(queue);
  }

  /** As `gate`, for a call that makes the queue. Resolves with the reason when it cannot be had. */
  gateOfNew(queue: string): Promise<Error | undefined> | undefined {
    return this.#gates.get(queue) ?? (this.#registry.has(queue) ? undefined : this.#register(queue));
  }

  /** All that is called for it meanwhile waits for this very promise, and so goes on in the order of the calls. */
  #register(queue: string): Promise<Error | undefined> {
    const gate = this.#registry.add(queue).finally(() => this.#gates.delete(queue));
    this.#gates.set(queue, gate);
    return gate;
  }

  /** This broker was given up: what it held is not its own any more. */
  forgetHeld(): void {
    for (const lane of this.#lanes.values()) lane.held.clear();
  }

  /** A claim may have happened though its answer was lost: then its leases are known to nobody, and go back to the line. */
  recoverLostClaims(): void {
    const over = performance.now() - LOST_CLAIM_MS;
    for (const lane of this.#lanes.values()) {
      const lost = lane.lostClaims;
      if (lost.length === 0) continue;
      lane.lostClaims = lost.filter(({ failedAt }) => failedAt > over);
      for (const { broker, first, end } of lost) {
        giveAway(lane, broker, (sequence) => sequence >= first && sequence < end).catch((error: unknown) => {
          this.#context.logger.debug({ err: error, queue: lane.queue }, "lost claims could not be given back yet");
        });
      }
    }
  }
}
