import { TaskwireError } from "../domain/errors.ts";
import { groupBy } from "../lib/group-by.ts";
import type { Logger } from "../observe/logger.ts";
import type { Settled, Settlement, Store } from "../store/store.ts";

/** How long to wait before what could not be given back is tried again. */
const RETRY_MS = 250;

/**
 * The way of outcomes to the store. What workers report is tried once: they keep it and send it again. What the broker
 * itself decides (a timeout, a lost stream) is tried until it is done: nobody else would.
 */
export class Settler {
  /** Outcomes that workers reported of tasks which this broker had taken away from them; the store was not asked. */
  revokedOutcomes = 0;
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #pending = new Set<Promise<void>>();
  #stopped = false;

  constructor(store: Store, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /** One answer for each settlement, in order; "unavailable" when the store could not be asked. */
  async settle(settlements: readonly Settlement[]): Promise<readonly (Settled | "unavailable")[]> {
    const first = settlements[0];
    if (!first) return [];
    if (settlements.every(({ lease }) => lease.queue === first.lease.queue))
      return this.#settleQueue(first.lease.queue, settlements);
    const answers = new Map<Settlement, Settled | "unavailable">();
    const byQueue = groupBy(settlements, ({ lease }) => lease.queue);
    await Promise.all(
      [...byQueue].map(async ([queue, group]) => {
        const settled = await this.#settleQueue(queue, group);
        for (const [i, settlement] of group.entries()) answers.set(settlement, settled[i] ?? "unavailable");
      }),
    );
    return settlements.map((settlement) => answers.get(settlement) ?? "unavailable");
  }

  async #settleQueue(queue: string, settlements: readonly Settlement[]): Promise<readonly (Settled | "unavailable")[]> {
    try {
      return await this.#store.settle(queue, settlements);
    } catch (error) {
      if (!(error instanceof TaskwireError)) this.#logger.error({ err: error, queue }, "settling failed");
      return settlements.map(() => "unavailable");
    }
  }

  /** Settles in the background, again and again until the store has done it or the broker stops. */
  giveBack(settlements: readonly Settlement[]): void {
    const pending = this.#giveBack(settlements).finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
  }

  async #giveBack(settlements: readonly Settlement[]): Promise<void> {
    for (let rest = settlements; rest.length > 0; ) {
      const answers = await this.settle(rest);
      rest = rest.filter((_, i) => answers[i] === "unavailable");
      if (rest.length === 0) return;
      // The leases of a broker that is gone are reaped by the others.
      if (this.#stopped) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Waits for what is under way, without further tries. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#pending);
  }
}
