/** The groups of failures of one queue, kept with each death and each move of a dead task. */
import { type FailureGroup, groupOfFailure, LIMITS } from "@taskwire/server/testing";
import type { ModelTask } from "./model-task.ts";

export class ModelGroups {
  readonly #groups = new Map<string, Omit<FailureGroup, "sampleKey">>();

  /** A task died of its last failure. */
  enter(entry: ModelTask, now: number): void {
    const failure = entry.lastResult?.failure;
    if (!failure) return;
    const { id, errorType, message } = groupOfFailure(failure);
    const known = this.#groups.get(id);
    if (!known && this.#groups.size >= LIMITS.failureGroups) return;
    const { count = 0, firstAtMs = now } = known ?? {};
    this.#groups.set(id, { id, errorType, message, count: count + 1, firstAtMs, lastAtMs: now });
    entry.group = id;
  }

  /** A task is not dead any more. */
  leave(entry: ModelTask): void {
    const group = entry.group && this.#groups.get(entry.group);
    entry.group = undefined;
    if (!group) return;
    if (group.count === 1) this.#groups.delete(group.id);
    else this.#groups.set(group.id, { ...group, count: group.count - 1 });
  }

  /** With a sample of each: the last that died of those that are `dead`. */
  list(dead: readonly ModelTask[]): FailureGroup[] {
    const oldestFirst = [...dead].sort((a, b) => a.ended - b.ended);
    return [...this.#groups.values()].map((group) => {
      const sampleKey = oldestFirst.findLast((entry) => entry.group === group.id)?.key ?? "";
      return { ...group, sampleKey };
    });
  }
}
