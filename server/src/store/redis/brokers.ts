/** Which brokers are alive. Each renews its entry; whoever is silent for too long is fenced by the others. */
import { newBrokerId } from "../../domain/ids.ts";
import { Clock } from "./clock.ts";
import type { Connection, Reply } from "./connection.ts";
import { globalKeys, type Keys, keysOf } from "./keys.ts";
import { SCRIPTS } from "./scripts.ts";

/** A broker that was frozen may claim once more before it notices that it was fenced: its leases are looked for this long. */
const FENCED_MS = 60 * 60 * 1_000;

export class Brokers {
  readonly clock = new Clock();
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #timeoutMs: number;
  #id = "";

  constructor(connection: Connection, namespace: string, timeoutMs: number) {
    this.#connection = connection;
    this.#keys = globalKeys(namespace);
    this.#timeoutMs = timeoutMs;
  }

  get id(): string {
    return this.#id;
  }

  /** Also the start: then there is no id yet. */
  async renew(): Promise<"alive" | "fenced"> {
    const { renew } = SCRIPTS;
    const next = newBrokerId();
    const sentAt = this.clock.start();
    const reply = await this.#connection.run(renew, keysOf(renew, this.#keys), [this.#id, next, this.#timeoutMs]);
    // The form that renew.lua says.
    const [state, time] = reply as readonly [Buffer, number];
    this.clock.set(sentAt, time);
    if (String(state) === "alive") return "alive";
    this.#id = next;
    return "fenced";
  }

  async remove(): Promise<void> {
    await this.#connection.command("ZREM", this.#keys["brokers"] ?? "", this.#id);
  }

  /** Fences who was silent for too long. Returns all whose leases may have to be given away. */
  async fence(): Promise<string[]> {
    const { fence } = SCRIPTS;
    const fenced = await this.#connection.run(fence, keysOf(fence, this.#keys), [this.#id, FENCED_MS]);
    return toStrings(fenced);
  }

  async countAlive(): Promise<number> {
    const nowMs = await this.now();
    return Number(await this.#connection.command("ZCOUNT", this.#keys["brokers"] ?? "", `(${nowMs}`, "+inf"));
  }

  /** All that may hold leases. */
  async all(): Promise<string[]> {
    const [alive, fenced] = await Promise.all([
      this.#connection.command("ZRANGE", this.#keys["brokers"] ?? "", 0, -1),
      this.#connection.command("ZRANGE", this.#keys["fenced"] ?? "", 0, -1),
    ]);
    return [...toStrings(alive), ...toStrings(fenced)];
  }

  async now(): Promise<number> {
    const sentAt = this.clock.start();
    const reply = await this.#connection.command("TIME");
    if (!Array.isArray(reply)) throw new Error("TIME answered in another form than it should");
    const nowMs = Number(String(reply[0])) * 1_000 + Math.floor(Number(String(reply[1])) / 1_000);
    this.clock.set(sentAt, nowMs);
    return nowMs;
  }
}

function toStrings(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}
