/** The groups of failures of one queue: counted with each task that dies, and each that is dead no more. */
import { groupOfFailure, normaliseMessage } from "../../domain/failure-group.ts";
import { LIMITS } from "../../domain/limits.ts";
import { SortedList } from "../../lib/sorted-list.ts";
import type { Failure, FailureGroup } from "../store.ts";
import { type AloneTask, byStamp, type Group } from "./alone-task.ts";

export class FailureGroups {
  /** By type and message: a hash is taken only of what is new. */
  readonly #groups = new Map<string, Group>();

  /** A task died of this failure. What is beyond the limit belongs to no group. */
  enter(task: AloneTask, failure: Pick<Failure, "type" | "message">, atMs: number): void {
    const message = normaliseMessage(failure.message);
    const name = nameOf(failure.type, message);
    let group = this.#groups.get(name);
    if (group === undefined) {
      if (this.#groups.size >= LIMITS.failureGroups) return;
      const { id, errorType } = groupOfFailure(failure);
      const members = new SortedList<AloneTask>(byStamp);
      group = { id, errorType, message, members, firstAtMs: atMs, lastAtMs: atMs };
    }
    group.lastAtMs = Math.max(group.lastAtMs, atMs);
    this.join(task, group);
  }

  /** Puts a task into a group, or back into one that it left. */
  join(task: AloneTask, group: Group): void {
    group.members.add(task);
    task.group = group;
    this.#groups.set(nameOf(group.errorType, group.message), group);
  }

  /** The task is dead no more. */
  leave(task: AloneTask): void {
    const { group } = task;
    if (!group) return;
    task.group = undefined;
    group.members.delete(task);
    if (group.members.size === 0) this.#groups.delete(nameOf(group.errorType, group.message));
  }

  membersOf(id: string): SortedList<AloneTask> | undefined {
    for (const group of this.#groups.values()) if (group.id === id) return group.members;
    return undefined;
  }

  list(): FailureGroup[] {
    return [...this.#groups.values()].map(({ members, ...group }) => ({
      ...group,
      count: members.size,
      sampleKey: members.last()?.key ?? "",
    }));
  }
}

function nameOf(type: string, message: string): string {
  return `${type}\0${message}`;
}
