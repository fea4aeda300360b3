/** The dead tasks of one queue, by when they died, and in groups by their failures. Memory is changed when a turn is prepared. */
import { SortedList } from "../../lib/sorted-list.ts";
import type { Failure, FailureGroup } from "../store.ts";
import { type AloneTask, byStamp } from "./alone-task.ts";
import { FailureGroups } from "./failure-groups.ts";

export class DeadTasks {
  readonly #byDeath = new SortedList<AloneTask>(byStamp);
  readonly #groups = new FailureGroups();

  get size(): number {
    return this.#byDeath.size;
  }

  /** The one that died first. */
  get oldest(): AloneTask | undefined {
    return this.#byDeath.first();
  }

  get groups(): readonly FailureGroup[] {
    return this.#groups.list();
  }

  /** A task that died: its stamp tells its place. */
  enter(task: AloneTask, failure: Pick<Failure, "type" | "message">, atMs: number): void {
    this.#byDeath.add(task);
    this.#groups.enter(task, failure, atMs);
  }

  /** The task is dead no more. To be called before the task is changed. */
  leave(task: AloneTask, turn: { onUndo(undo: () => void): void }): void {
    const { group } = task;
    this.forget(task);
    turn.onUndo(() => {
      this.#byDeath.add(task);
      if (group) this.#groups.join(task, group);
    });
  }

  /** Takes the task out for good. */
  forget(task: AloneTask): void {
    this.#byDeath.delete(task);
    this.#groups.leave(task);
  }

  /** Those that died before `stamp`, the last first; all, or those of one group. */
  *down(stamp: string | undefined, groupId: string | undefined): Generator<AloneTask> {
    const members = groupId === undefined ? this.#byDeath : this.#groups.membersOf(groupId);
    if (members) yield* members.down((task) => stamp === undefined || task.stamp < stamp);
  }
}
