import type { Service } from "./service.ts";

/** What a periodic task does when a run fails; called once for each failure. */
export type OnFailure = (error: unknown) => void;

/**
 * Runs `run` again and again, `everyMs` after the former run ended, so that runs never overlap. A failed run is reported
 * and does not stop the others. `stop` waits for the run that is under way.
 */
export class Periodic implements Service {
  readonly #run: () => Promise<unknown>;
  readonly #everyMs: number;
  readonly #onFailure: OnFailure;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = true;

  constructor(run: () => Promise<unknown>, everyMs: number, onFailure: OnFailure) {
    this.#run = run;
    this.#everyMs = everyMs;
    this.#onFailure = onFailure;
  }

  async start(): Promise<void> {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #arm(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#run()
        .then(() => {}, this.#onFailure)
        .finally(() => this.#arm());
    }, this.#everyMs);
    this.#timer.unref();
  }
}
