import { Connection, jitteredBackoffMs } from "./connection/index.ts";

/** Between tries of a list of brokers that are all down. Short, because most outages are a restart. */
const BACKOFF = { minMs: 50, maxMs: 1_000 };

/** The brokers that a client may use, one connection each. All calls go to the current one; when it fails, to the next. */
export class Brokers {
  readonly #addresses: readonly string[];
  readonly #connections = new Map<string, Connection>();
  #current = 0;

  constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  /** The connection to use now. */
  current(): Connection {
    const address = this.#addresses[this.#current] ?? "";
    let connection = this.#connections.get(address);
    if (!connection) {
      connection = new Connection({ address });
      this.#connections.set(address, connection);
    }
    return connection;
  }

  /** Says that a broker failed or is stopping. Changes nothing when another call has already moved on from it. */
  moveOn(from: Connection): void {
    if (this.current() === from) this.#current = (this.#current + 1) % this.#addresses.length;
  }

  /**
   * How long to wait after the given number of failures in a row: not at all while there is a broker that was not tried.
   * @param retryAfterMs what the last broker asked for
   */
  backoffMs(failures: number, retryAfterMs = 0): number {
    const rounds = failures - this.#addresses.length + 1;
    return rounds < 1 ? 0 : Math.max(retryAfterMs, jitteredBackoffMs(rounds, BACKOFF));
  }

  /** Ends all calls and closes all connections. */
  close(): void {
    for (const connection of this.#connections.values()) connection.close();
  }
}
