/** One call of `revive` or `deleteDead`. */
import type { DeadMove } from "../store.ts";
import type { AloneTask } from "./alone-task.ts";
import { removeDead } from "./dead-cap.ts";
import type { Call } from "./journal.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";
import { recordOf } from "./stored-tasks.ts";
import { stateOf } from "./task-state.ts";
import type { Turn } from "./turn.ts";

export interface DeadRequest {
  readonly verb: "revive" | "delete";
  readonly queue: Queue;
  readonly keys: readonly string[];
  readonly resolve: (answer: readonly DeadMove[]) => void;
  readonly reject: (error: unknown) => void;
}

export class DeadCall implements Call {
  readonly grows = false;
  readonly canWait = false;
  readonly #parts: EmbeddedParts;
  readonly #request: DeadRequest;
  #answer: readonly DeadMove[] = [];
  #revived: AloneTask[] = [];

  constructor(parts: EmbeddedParts, request: DeadRequest) {
    this.#parts = parts;
    this.#request = request;
  }

  get queue(): Queue {
    return this.#request.queue;
  }

  prepare(turn: Turn): void {
    this.#revived = [];
    this.#answer = this.#request.keys.map((key) => this.#move(key, turn));
  }

  #move(key: string, turn: Turn): DeadMove {
    const { queue } = this;
    const task = queue.alone.get(key);
    if (task?.state !== "dead") {
      const state = stateOf(this.#parts.database, queue, key, turn);
      return state === undefined || state === "dead" ? "missing" : state;
    }
    turn.count(queue);
    if (this.#request.verb === "revive") {
      this.#revive(task, turn);
    } else {
      queue.counters.deleted++;
      removeDead(queue, task, turn);
    }
    return "done";
  }

  #revive(task: AloneTask, turn: Turn): void {
    const { queue } = this;
    const record = recordOf(this.#parts.database, queue, task, turn);
    queue.counters.revived++;
    queue.dead.leave(task, turn);
    turn.changeAlone(task);
    // Nothing that was leased in its former life is current, or can be told from what was never leased.
    Object.assign(task, { state: "ready", attempt: 1, lostCount: 0, mark: 0, leasedAttempt: 0 });
    task.runAtMs = turn.nowMs;
    task.stamp = turn.stamps.next(turn.nowMs);
    // Among tasks of priority 0 it has its place: what comes after it must not join a block from before.
    if (task.priority === 0) turn.closeBlock(queue);
    const { attempt, lostCount, runAtMs, stamp } = task;
    turn.putAlone(queue, task, { state: "ready", stamp, record: { ...record, attempt, lostCount, runAtMs } });
    this.#revived.push(task);
  }

  publish(): void {
    const { queue } = this;
    const wasEmpty = queue.gauges.ready === 0;
    for (const task of this.#revived) queue.pushAlone(task);
    if (wasEmpty && this.#revived.length > 0) this.#parts.events.ready(queue.name);
    this.#request.resolve(this.#answer);
  }

  fail(error: unknown): void {
    this.#request.reject(error);
  }
}
