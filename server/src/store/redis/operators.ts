/** The verbs of those who look after a queue. Each keeps its place among the calls for that queue. */
import type { Cancelled, DeadMove, FailureGroup, ListPage, ListQuery, QueuePolicy, TaskSnapshot } from "../store.ts";
import type { Brokers } from "./brokers.ts";
import { cancel } from "./cancel.ts";
import type { Context } from "./context.ts";
import { deleteDead, revive } from "./dead-moves.ts";
import { readGroups } from "./failure-groups.ts";
import { placeOf } from "./find.ts";
import { queueKeys } from "./keys.ts";
import type { Lanes } from "./lanes.ts";
import { list } from "./list.ts";
import { SCRIPTS } from "./scripts.ts";
import { steer } from "./steering.ts";

export type Find = (queue: string, key: string) => Promise<TaskSnapshot | undefined>;

export class Operators {
  readonly #context: Context;
  readonly #lanes: Lanes;
  readonly #brokers: Brokers;
  readonly #find: Find;

  constructor(context: Context, lanes: Lanes, brokers: Brokers, find: Find) {
    this.#context = context;
    this.#lanes = lanes;
    this.#brokers = brokers;
    this.#find = find;
  }

  async cancel(queue: string, key: string, reason: string): Promise<Cancelled> {
    // Without a gate there must be no wait: a claim of the same tick comes after it.
    const gate = this.#lanes.gate(queue);
    if (gate) await gate;
    return cancel(this.#lanes.of(queue), key, reason, {
      brokers: () => this.#brokers.all(),
      find: () => this.#find(queue, key),
    });
  }

  async revive(queue: string, keys: readonly string[]): Promise<readonly DeadMove[]> {
    const gate = this.#lanes.gate(queue);
    if (gate) await gate;
    return revive(this.#lanes.of(queue), keys, (key) => this.#find(queue, key));
  }

  async deleteDead(queue: string, keys: readonly string[]): Promise<readonly DeadMove[]> {
    const gate = this.#lanes.gate(queue);
    if (gate) await gate;
    return deleteDead(this.#lanes.of(queue), keys, (key) => this.#find(queue, key));
  }

  async list(queue: string, query: ListQuery): Promise<ListPage> {
    const gate = this.#lanes.gate(queue);
    if (gate) await gate;
    return list(this.#lanes.of(queue), query, () => this.#brokers.all());
  }

  async position(queue: string, key: string): Promise<number | undefined> {
    const gate = this.#lanes.gate(queue);
    if (gate) await gate;
    const { id = "", index = "" } = placeOf(key) ?? {};
    const ahead = await this.#lanes.of(queue).run(SCRIPTS.position, [key, id, index]);
    return typeof ahead === "number" ? ahead : undefined;
  }

  async failureGroups(queue: string): Promise<readonly FailureGroup[]> {
    const gate = this.#lanes.gate(queue);
    if (gate) await gate;
    this.#lanes.of(queue).flush();
    const { groups = "" } = queueKeys(this.#context.namespace, queue, "");
    return readGroups(await this.#context.connection.command("HGETALL", groups));
  }

  async steer(queue: string, change: Partial<QueuePolicy>): Promise<QueuePolicy> {
    const gate = this.#lanes.gateOfNew(queue);
    const refusal = gate && (await gate);
    if (refusal) throw refusal;
    return steer(this.#lanes.of(queue), change);
  }
}
