import type { WorkerRecord } from "../store.ts";

const TTL_MS = 60_000;

/** The sessions of this broker. They are gone when it is. */
export class WorkerList {
  readonly #records = new Map<string, { readonly record: WorkerRecord; readonly untilMs: number }>();

  put(workers: readonly WorkerRecord[]): void {
    const untilMs = Date.now() + TTL_MS;
    for (const record of workers) this.#records.set(record.sessionId, { record, untilMs });
  }

  remove(sessionId: string): void {
    this.#records.delete(sessionId);
  }

  all(): WorkerRecord[] {
    const nowMs = Date.now();
    for (const [sessionId, { untilMs }] of this.#records) if (untilMs <= nowMs) this.#records.delete(sessionId);
    return [...this.#records.values()].map(({ record }) => record);
  }
}
