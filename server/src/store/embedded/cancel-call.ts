/** One call of `cancel`: the task gets a result, and a mark as one that left its block; what waits in line or schedule is passed over. */
import type { Lease } from "../../domain/lease.ts";
import type { ResultEntry } from "../records.ts";
import type { Cancelled } from "../store.ts";
import type { AloneTask } from "./alone-task.ts";
import type { Block } from "./block.ts";
import { type PlaceInBlock, placeOf } from "./find.ts";
import type { Call } from "./journal.ts";
import { leftMarkOf, markOf, markSequence } from "./mark.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";
import { recordOf } from "./stored-tasks.ts";
import { stateOf } from "./task-state.ts";
import type { Turn } from "./turn.ts";

export interface CancelRequest {
  readonly queue: Queue;
  readonly key: string;
  readonly reason: string;
  readonly resolve: (answer: Cancelled) => void;
  readonly reject: (error: unknown) => void;
}

/** What was cancelled, and where it was. */
type Ended = { readonly task: AloneTask; readonly state: "scheduled" | "ready" | "active" } | PlaceInBlock;

export class CancelCall implements Call {
  readonly grows = false;
  readonly canWait = false;
  readonly #parts: EmbeddedParts;
  readonly #request: CancelRequest;
  #answer: Cancelled = { kind: "missing" };
  #ended: Ended | undefined;

  constructor(parts: EmbeddedParts, request: CancelRequest) {
    this.#parts = parts;
    this.#request = request;
  }

  get queue(): Queue {
    return this.#request.queue;
  }

  prepare(turn: Turn): void {
    const { queue, key } = this.#request;
    const { database } = this.#parts;
    this.#ended = undefined;
    const task = queue.alone.get(key);
    const state = stateOf(database, queue, key, turn);
    if (state === undefined) this.#answer = { kind: "missing" };
    else if (state === "completed" || state === "dead" || state === "cancelled")
      this.#answer = { kind: "ended", state };
    else if (task) this.#answer = this.#cancelAlone(task, state, turn);
    else this.#answer = this.#cancelInBlock(placeOf(database, queue, key), turn);
  }

  #cancelAlone(task: AloneTask, state: "scheduled" | "ready" | "active", turn: Turn): Cancelled {
    const { queue, key } = this.#request;
    const { attempt, lostCount } = task;
    const earlier = task.hasPast ? recordOf(this.#parts.database, queue, task, turn).attempts : [];
    const sequence = state === "active" ? markSequence(task.mark) : 0;
    turn.changeAlone(task);
    task.state = "cancelled";
    task.mark = markOf(markSequence(task.mark), "cancel");
    this.#count(turn);
    turn.putAloneResult(queue, key, {
      sequence,
      attempt,
      lostCount,
      endedAtMs: turn.nowMs,
      earlier,
      entries: [this.#entry(0)],
    });
    turn.remove("a", queue, key);
    this.#ended = { task, state };
    const lease = this.#lease(sequence, { block: key, alone: true, attempt: task.leasedAttempt });
    return { kind: "cancelled", lease, index: 0 };
  }

  #cancelInBlock(place: PlaceInBlock | undefined, turn: Turn): Cancelled {
    if (!place) return { kind: "missing" };
    const { block, index, state } = place;
    const { queue } = this;
    this.#keep(block, turn);
    const changes = turn.change(queue, block);
    const sequence = state === "active" ? markSequence(block.marks[index] ?? 0) : 0;
    block.marks[index] = leftMarkOf(sequence, "cancel");
    block.left--;
    changes.hasLeaving = true;
    this.#count(turn);
    turn.putBlockCancelled(queue, block, sequence, this.#entry(index));
    this.#ended = place;
    const lease = this.#lease(sequence, { block: block.key, alone: false, attempt: 1 });
    return { kind: "cancelled", lease, index: lease ? index : 0 };
  }

  /** A block that stands untouched in the line gets an object from now on. */
  #keep(block: Block, turn: Turn): void {
    const { queue } = this;
    if (queue.block(block.key)) return;
    block.places = 1;
    queue.blocks.set(block.key, block);
    turn.onUndo(() => queue.blocks.delete(block.key));
  }

  #entry(index: number): ResultEntry {
    const failure = { type: "cancelled", message: this.#request.reason, stack: "" };
    return { index, durationMs: 0, workerId: "", result: undefined, failure };
  }

  #lease(sequence: number, of: Pick<Lease, "block" | "alone" | "attempt">): Lease | undefined {
    return sequence === 0 ? undefined : { queue: this.queue.name, broker: this.#parts.brokerId, sequence, ...of };
  }

  #count(turn: Turn): void {
    turn.count(this.queue);
    this.queue.counters.cancelled++;
  }

  publish(): void {
    const { queue, key, resolve } = this.#request;
    const answer = this.#answer;
    if (this.#ended) this.#publish(this.#ended);
    if (answer.kind === "cancelled" && answer.lease) this.#parts.events.cancelled(answer.lease, answer.index);
    for (const tell of [...(queue.waiting.get(key) ?? [])]) tell();
    resolve(answer);
  }

  #publish(ended: Ended): void {
    const { queue } = this;
    queue.gauges[ended.state]--;
    if ("task" in ended) {
      const { task, state } = ended;
      queue.activeAlone.delete(task);
      if (state === "ready") queue.ready.remove(task);
      if (state === "scheduled") queue.schedule.cancelled(task.runAtMs);
      if (queue.alone.get(task.key) === task) queue.alone.delete(task.key);
    } else {
      const { block, state } = ended;
      if (state === "scheduled") queue.schedule.cancelled(block.name.runAtMs);
      queue.dropEnded(block);
    }
  }

  fail(error: unknown): void {
    this.#request.reject(error);
  }
}
