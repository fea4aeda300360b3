/** One call of `enqueue`: plain tasks become blocks, the others records of their own. */
import { INDEX_TEXT, MAX_BLOCK_TASKS, newNonce } from "../../domain/ids.ts";
import { joinBodies } from "../bodies.ts";
import type { Enqueued, NewTask, Producer } from "../store.ts";
import type { AloneTask } from "./alone-task.ts";
import { type BlockName, blockDiskName } from "./block-name.ts";
import { contentOf } from "./disk.ts";
import type { Call } from "./journal.ts";
import type { EmbeddedParts } from "./parts.ts";
import { answerOf, encodeBatch, type Part, producerDiskName } from "./producers.ts";
import type { Queue } from "./queue.ts";
import { readResult } from "./results.ts";
import type { Turn } from "./turn.ts";

/** A block is read as a whole: this keeps one with large bodies from growing beyond measure. */
const BLOCK_BYTES = 256 * 1024;

type Added = { readonly name: BlockName; readonly content: Buffer } | { readonly task: AloneTask };

export interface EnqueueRequest {
  readonly queue: Queue;
  readonly tasks: readonly NewTask[];
  readonly producer: Producer | undefined;
  readonly resolve: (answer: readonly Enqueued[]) => void;
  readonly reject: (error: unknown) => void;
}

export class EnqueueCall implements Call {
  readonly grows = true;
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
    this.#parts.registry.register(queue, turn);
    this.#answer = this.#addAll(turn);
    if (producer) this.#remember(producer, turn);
  }

  #addAll(turn: Turn): Part[] {
    const { tasks } = this.#request;
    const parts: Part[] = [];
    this.#countTypes(turn);
    for (let from = 0; from < tasks.length; ) {
      const end = this.#blockEnd(from);
      if (end > from) {
        parts.push(this.#addBlock(tasks.slice(from, end), turn));
        from = end;
      } else {
        const task = tasks[from++];
        if (task) parts.push({ kind: "alone", enqueued: this.#addAlone(task, turn) });
      }
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

  /** The end of the block that begins with task `from`; `from` itself when that task is not plain. */
  #blockEnd(from: number): number {
    const { tasks } = this.#request;
    const hasOptions = tasks[from]?.hasOptions;
    let bytes = 0;
    let end = from;
    for (; end < tasks.length && end < from + MAX_BLOCK_TASKS; end++) {
      const task = tasks[end];
      if (!task || task.hasOptions !== hasOptions || !isPlain(task, this.#nowMs)) break;
      bytes += task.body.length;
      if (bytes > BLOCK_BYTES && end > from) break;
    }
    return end;
  }

  #addBlock(tasks: readonly NewTask[], turn: Turn): Part {
    const key = turn.stamps.nextBlockKey(turn.nowMs);
    const name = { key, count: tasks.length, hasOptions: tasks[0]?.hasOptions === true };
    const bodies = joinBodies(tasks.map(({ body }) => body));
    const content = contentOf(turn.put("b", this.queue, blockDiskName(name), bodies));
    this.#added.push({ name, content });
    return { kind: "block", key, count: tasks.length };
  }

  #addAlone(task: NewTask, turn: Turn): Enqueued {
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
    const runAtMs = task.delayMs > 0 ? turn.nowMs + task.delayMs : task.runAtMs;
    const state = runAtMs > turn.nowMs ? "scheduled" : "ready";
    const common = { hasOptions, priority, attempt: 1, lostCount: 0, enqueuedAtMs: turn.nowMs };
    const alone: AloneTask = {
      ...common,
      key,
      state,
      runAtMs: state === "scheduled" ? runAtMs : 0,
      place: 0,
      mark: 0,
      leasedAttempt: 0,
      wasLeasedAlone: true,
    };
    const record = { ...common, body, runAtMs: alone.runAtMs, lastFailure: undefined, lastEndedAtMs: 0 };
    turn.putAlone(queue, key, { state, stamp, record });
    queue.alone.set(key, alone);
    turn.onUndo(() => queue.alone.delete(key));
    this.#added.push({ task: alone });
    return { kind: "created", key, state, runAtMs: alone.runAtMs };
  }

  #existing(key: string): Enqueued | undefined {
    const alone = this.queue.alone.get(key);
    if (alone) return { kind: "existing", key, state: alone.state, runAtMs: alone.runAtMs };
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
      if ("task" in added) this.#publishAlone(added.task);
      else {
        this.#parts.cache.add(added.name.key, added.content);
        queue.pushBlock(blockDiskName(added.name), 0, added.name.count);
      }
    }
    if (wasEmpty && queue.gauges.ready > 0) this.#parts.events.ready(queue.name);
    this.#request.resolve(answerOf(this.#answer));
  }

  #publishAlone(task: AloneTask): void {
    const { queue } = this;
    if (task.state === "ready") queue.pushAlone(task);
    if (task.state !== "scheduled") return;
    queue.pushScheduled(task);
    this.#parts.events.scheduled(queue.name, Math.max(0, task.runAtMs - this.#nowMs));
  }

  fail(error: unknown): void {
    this.#added = [];
    this.#parts.registry.forgetUnused(this.queue);
    this.#request.reject(error);
  }
}

function isPlain({ key, priority, delayMs, runAtMs }: NewTask, nowMs: number): boolean {
  return key === undefined && priority === 0 && delayMs === 0 && runAtMs <= nowMs;
}
