/** The sessions of all brokers, each forgotten when it was not put again for a while. */
import type { WorkerRecord } from "../store.ts";
import type { Connection } from "./connection.ts";
import { globalKeys, type Keys, keysOf } from "./keys.ts";
import { SCRIPTS } from "./scripts.ts";

const TTL_MS = 60_000;

export class WorkerRecords {
  readonly #connection: Connection;
  readonly #keys: Keys;

  constructor(connection: Connection, namespace: string) {
    this.#connection = connection;
    this.#keys = globalKeys(namespace);
  }

  async put(workers: readonly WorkerRecord[]): Promise<void> {
    if (workers.length === 0) return;
    const list = workers.flatMap((worker) => [worker.sessionId, Buffer.from(JSON.stringify(worker))]);
    const { putWorkers } = SCRIPTS;
    await this.#connection.run(putWorkers, keysOf(putWorkers, this.#keys), [TTL_MS, ...list]);
  }

  async remove(sessionId: string): Promise<void> {
    await this.#connection.command("ZREM", this.#keys["workers_until"] ?? "", sessionId);
    await this.#connection.command("HDEL", this.#keys["workers"] ?? "", sessionId);
  }

  async all(): Promise<WorkerRecord[]> {
    const { workers } = SCRIPTS;
    const records = await this.#connection.run(workers, keysOf(workers, this.#keys), []);
    // Only `put` writes these.
    return Array.isArray(records)
      ? records.filter((one) => one !== null).map((one) => JSON.parse(String(one)) as WorkerRecord)
      : [];
  }
}
