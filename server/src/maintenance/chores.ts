/** Everything that happens again and again, in one table. Each run is safe to repeat, and safe beside other brokers'. */
import { Periodic } from "../lib/periodic.ts";
import type { Service } from "../lib/service.ts";
import type { Logger } from "../observe/logger.ts";
import type { Store } from "../store/store.ts";
import type { Alarm } from "./alarm.ts";
import type { Liveness } from "./liveness.ts";

export interface ChoresOptions {
  readonly store: Store;
  readonly alarm: Alarm;
  readonly liveness: Liveness;
  readonly brokerTimeoutMs: number;
  readonly logger: Logger;
}

export class Chores implements Service {
  readonly #periodics: readonly Periodic[];

  constructor({ store, alarm, liveness, brokerTimeoutMs, logger }: ChoresOptions) {
    const chores: readonly [name: string, everyMs: number, run: () => Promise<unknown>][] = [
      // Four renewals fit into the time after which others take over: three may fail.
      ["renew", brokerTimeoutMs / 4, () => liveness.renew()],
      ["reap", brokerTimeoutMs / 5, () => reap(store, logger)],
      ["promote", 1_000, () => alarm.sweep()],
      ["drop what is old", 10_000, () => store.dropOld()],
    ];
    this.#periodics = chores.map(
      ([name, everyMs, run]) => new Periodic(run, everyMs, new Complaint(name, logger).hear),
    );
  }

  async start(): Promise<void> {
    await Promise.all(this.#periodics.map((periodic) => periodic.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#periodics.map((periodic) => periodic.stop()));
  }
}

async function reap(store: Store, logger: Logger): Promise<void> {
  const reaped = await store.reap();
  if (reaped > 0) logger.warn({ tasks: reaped }, "gave away the tasks of a dead broker");
}

/** Logs a failing chore once a minute, not at every run: while a store is away, each of them fails. */
class Complaint {
  readonly #name: string;
  readonly #logger: Logger;
  #silentUntilMs = 0;

  constructor(name: string, logger: Logger) {
    this.#name = name;
    this.#logger = logger;
  }

  readonly hear = (error: unknown): void => {
    if (Date.now() < this.#silentUntilMs) return;
    this.#silentUntilMs = Date.now() + 60_000;
    this.#logger.warn({ err: error, chore: this.#name }, "a chore failed");
  };
}
