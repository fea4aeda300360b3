/** One call of `enqueue`: tasks become blocks, but for those with a key or a priority, which get records of their own. */
import { TaskwireError } from "../../domain/errors.ts";
import { INDEX_TEXT, newNonce } from "../../domain/ids.ts";
import type { Enqueued, NewTask, Producer } from "../store.ts";
import { type AloneTask, newAloneTask } from "./alone-task.ts";
import { Block } from "./block.ts";
import type { BlockBuilder } from "./block-builder.ts";
import type { Call } from "./journal.ts";
import type { EmbeddedParts } from "./parts.ts";
import { answerOf, encodeBatch, type Part, producerDiskName } from "./producers.ts";
import type { Queue } from "./queue.ts";
import { admit } from "./rate.ts";
import { readResult } from "./results.ts";
import type { Turn } from "./turn.ts";

/** A task alone comes with the state that it was added in: it may be cancelled in the same turn. */
type Added = BlockBuilder | { readonly task: AloneTask; readonly state: "scheduled" | "ready" };

export interface EnqueueRequest {
  readonly queue: Queue;
  readonly tasks: readonly NewTask[];
  readonly producer: Producer | undefined;
  readonly resolve: (answer: readonly Enqueued[]) => void;
  readonly reject: (error: unknown) => void;
}

export class EnqueueCall implements Call {
  readonly grows = true;
  readonly canWait = false;
  readonly #parts: EmbeddedParts;
  readonly #request: EnqueueRequest;
  #answer: readonly Part[] = [];
  #added: Added[] = [];
  #nowMs = 0;

  constructor(parts: EmbeddedParts, request: EnqueueRequest) {
    this.#parts = parts;
    this.#request = request;
  }

  get queue(): Queue {
    return this.#request.queue;
  }

  prepare(turn: Turn): void {
    const { queue, producer } = this.#request;
    this.#nowMs = turn.nowMs;
    const repeated = producer && queue.producers.get(producer);
    if (repeated) {
      this.#answer = repeated;
      return;
    }
    if (queue.steering.policy.enqueueRate) this.#admit(turn);
    this.#parts.registry.register(queue, turn);
    this.#answer = this.#addAll(turn);
    if (producer) this.#remember(producer, turn);
  }

  /** @throws RATE_LIMITED, BATCH_ABOVE_BURST */
  #admit(turn: Turn): void {
    const { queue, tasks } = this.#request;
    const { policy, use } = queue.steering;
    const { enqueueRate } = policy;
    if (!enqueueRate) return;
    const { perSecond, burst } = enqueueRate;
    const admission = admit(enqueueRate, use, tasks.length, turn.nowMs);
    switch (admission.kind) {
      case "above-burst":
        throw new TaskwireError(
          "BATCH_ABOVE_BURST",
          `the batch has ${tasks.length} tasks, and queue ${queue.name} takes at most ${burst} at once: send smaller ones`,
        );
      case "limited":
        throw new TaskwireError(
          "RATE_LIMITED",
          `rate limit exceeded: queue ${queue.name} takes ${perSecond} tasks a second`,
          { retryAfterMs: admission.retryAfterMs },
        );
      case "admitted":
        turn.steer(queue, { policy, use: admission.use });
    }
  }

  #addAll(turn: Turn): Part[] {
    const parts: Part[] = [];
    this.#countTypes(turn);
    let run: (Part & { kind: "block" }) | undefined;
    for (const task of this.#request.tasks) {
      const runAtMs = dueAtMs(task, turn.nowMs);
      if (task.key !== undefined || task.priority !== 0) {
        run = undefined;
        parts.push({ kind: "alone", enqueued: this.#addAlone(task, runAtMs, turn) });
        continue;
      }
      const builder = turn.blockFor(this.queue, task.body, task.hasOptions, runAtMs);
      const index = builder.add(task.body);
      if (run?.key === builder.key) {
        run.count++;
        continue;
      }
      run = { kind: "block", key: builder.key, first: index, count: 1, runAtMs };
      parts.push(run);
      this.#added.push(builder);
    }
    return parts;
  }

  /** Counts all; what turns out to exist already is taken back in `#addAlone`. */
  #countTypes(turn: Turn): void {
    const { queue, tasks } = this.#request;
    const counts = new Map<string, number>();
    for (const { type } of tasks) counts.set(type, (counts.get(type) ?? 0) + 1);
    for (const [type, count] of counts) turn.countType(queue, type, count);
    queue.counters.enqueued += tasks.length;
  }

  #addAlone(task: NewTask, runAtMs: number, turn: Turn): Enqueued {
    const { queue } = this;
    const stamp = turn.stamps.next(turn.nowMs);
    const key = task.key ?? stamp + newNonce() + INDEX_TEXT[0];
    const existing = task.key === undefined ? undefined : this.#existing(key);
    if (existing) {
      queue.counters.enqueued--;
      turn.countType(queue, task.type, -1);
      return existing;
    }
    const { body, hasOptions, priority } = task;
    const state = runAtMs > 0 ? "scheduled" : "ready";
    const common = { hasOptions, priority, attempt: 1, lostCount: 0, enqueuedAtMs: turn.nowMs, runAtMs };
    const alone = newAloneTask({ ...common, key, state, stamp });
    const record = { ...common, body, attempts: [] };
    // Among tasks of priority 0 it has its place: what comes after it must not join a block from before.
    if (state === "ready" && priority === 0) turn.closeBlock(queue);
    turn.putAlone(queue, alone, { state, stamp, record });
    queue.alone.set(key, alone);
    turn.onUndo(() => queue.alone.delete(key));
    this.#added.push({ task: alone, state });
    return { kind: "created", key, state, runAtMs };
  }

  #existing(key: string): Enqueued | undefined {
    const alone = this.queue.alone.get(key);
    if (alone) {
      const { state, runAtMs } = alone;
      return { kind: "existing", key, state, runAtMs: state === "scheduled" ? runAtMs : 0 };
    }
    const result = readResult(this.#parts.database, this.queue, key);
    return result && { kind: "existing", key, state: result.success ? "completed" : "cancelled", runAtMs: 0 };
  }

  #remember(producer: Producer, turn: Turn): void {
    const { queue } = this;
    const { producers } = queue;
    producers.add(producer, this.#answer, turn.nowMs);
    turn.onUndo(() => producers.remove(producer));
    turn.put("p", queue, producerDiskName(producer), encodeBatch(this.#answer, turn.nowMs));
    for (const sequence of producers.outlived(producer)) {
      const old = { id: producer.id, sequence };
      const batch = producers.get(old);
      producers.remove(old);
      if (batch) turn.onUndo(() => producers.add(old, batch, 0));
      turn.remove("p", queue, producerDiskName(old));
    }
  }

  publish(): void {
    const { queue } = this;
    const wasEmpty = queue.gauges.ready === 0;
    this.#parts.registry.publish(queue);
    for (const added of this.#added) {
      if (!("task" in added)) this.#publishBlock(added);
      else if (added.state === "ready") this.queue.pushAlone(added.task);
      else this.#publishScheduled(added.task);
    }
    if (wasEmpty && queue.gauges.ready > 0) this.#parts.events.ready(queue.name);
    this.#request.resolve(answerOf(this.#answer));
  }

  /** Several calls may have added to it: the first brings it into line. */
  #publishBlock(builder: BlockBuilder): void {
    if (builder.isPublished) return;
    builder.isPublished = true;
    if (builder.runAtMs > 0) {
      this.queue.scheduleRun({ kind: "run", block: new Block(builder.name), first: 0, end: builder.count });
      this.#tellScheduled(builder.runAtMs);
      return;
    }
    if (builder.value) this.#parts.cache.add(builder.key, builder.value);
    this.queue.pushBlock(builder.diskName, 0, builder.count);
  }

  #publishScheduled(task: AloneTask): void {
    this.queue.scheduleAlone(task);
    this.#tellScheduled(task.runAtMs);
  }

  #tellScheduled(runAtMs: number): void {
    this.#parts.events.scheduled(this.queue.name, Math.max(0, runAtMs - this.#nowMs));
  }

  fail(error: unknown): void {
    this.#added = [];
    this.#parts.registry.forgetUnused(this.queue);
    this.#request.reject(error);
  }
}

/** When the task becomes ready; 0 if it is. */
function dueAtMs({ delayMs, runAtMs }: NewTask, nowMs: number): number {
  if (delayMs > 0) return nowMs + delayMs;
  return runAtMs > nowMs ? runAtMs : 0;
}
