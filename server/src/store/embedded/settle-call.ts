/** One call of `settle`: each settlement is judged by the lease that the task's mark names. */
import { base32, INDEX_TEXT } from "../../domain/ids.ts";
import { type Lease, leasedKey } from "../../domain/lease.ts";
import { failedAttempt, keepAttempt } from "../attempts.ts";
import type { AloneRecord } from "../records.ts";
import type { Outcome, Settled, Settlement } from "../store.ts";
import { type AloneTask, newAloneTask } from "./alone-task.ts";
import type { Block } from "./block.ts";
import { BlockBodies } from "./block-bodies.ts";
import { dropExcess } from "./dead-cap.ts";
import type { Call } from "./journal.ts";
import { hasLeft, leftMarkOf, markFate, markOf, markSequence } from "./mark.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";
import { endedUnder } from "./results.ts";
import { SettledEffects } from "./settled-effects.ts";
import { STAMP_LENGTH } from "./stamps.ts";
import { recordOf } from "./stored-tasks.ts";
import type { Turn } from "./turn.ts";

export interface SettleRequest {
  readonly queue: Queue;
  readonly settlements: readonly Settlement[];
  readonly resolve: (answer: readonly Settled[]) => void;
  readonly reject: (error: unknown) => void;
}

type Moved = Outcome & { readonly kind: "retry" | "bury" | "snooze" | "lose" };
type Ended = Outcome & { readonly kind: "ack" | "discard" };

export class SettleCall implements Call {
  readonly grows = false;
  readonly canWait = true;
  readonly #parts: EmbeddedParts;
  readonly #request: SettleRequest;
  #answer: readonly Settled[] = [];
  #effects: SettledEffects;
  /** Of those that leave blocks. */
  #bodies: BlockBodies | undefined;

  constructor(parts: EmbeddedParts, request: SettleRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#effects = new SettledEffects(request.queue);
  }

  get queue(): Queue {
    return this.#request.queue;
  }

  prepare(turn: Turn): void {
    // A turn that failed is tried again.
    this.#effects = new SettledEffects(this.queue);
    this.#answer = this.#request.settlements.map((settlement) => this.#settle(settlement, turn));
  }

  #settle({ lease, index, outcome }: Settlement, turn: Turn): Settled {
    const block = lease.alone ? undefined : this.queue.blocks.get(lease.block);
    const mark = block?.marks[index];
    if (block && mark !== undefined) {
      const isLast = this.#isOurs(lease) && lease.attempt === 1 && markSequence(mark) === lease.sequence;
      if (!hasLeft(mark)) {
        if (!isLast) return "stale";
        return this.#judge(markFate(mark), outcome, () => this.#settleInBlock(block, index, outcome, turn));
      }
      const fate = markFate(mark);
      if (isLast && (fate === "ack" || fate === "discard")) return fate === outcome.kind ? "settled" : "stale";
    }
    return this.#settleOutside({ lease, index, outcome }, turn);
  }

  #isOurs({ broker }: Lease): boolean {
    return broker === this.#parts.brokerId;
  }

  /** Carries the outcome out if the lease is current, or allows it still. */
  #judge(fate: ReturnType<typeof markFate>, outcome: Outcome, carryOut: () => void): Settled {
    const isLate = fate === "lose" && outcome.kind === "ack";
    if (fate !== "held" && !isLate) return fate === outcome.kind ? "settled" : "stale";
    carryOut();
    return "settled";
  }

  /** A task that is no longer, or never was, in a block. */
  #settleOutside({ lease, index, outcome }: Settlement, turn: Turn): Settled {
    if (lease.alone && index !== 0) return "stale";
    const task = this.queue.alone.get(leasedKey(lease, index));
    if (task) {
      const isLast =
        this.#isOurs(lease) &&
        markSequence(task.mark) === lease.sequence &&
        task.leasedAttempt === lease.attempt &&
        task.wasLeasedAlone === lease.alone;
      if (!isLast) return "stale";
      return this.#judge(markFate(task.mark), outcome, () => this.#settleAlone(task, outcome, turn));
    }
    if (outcome.kind !== "ack" && outcome.kind !== "discard") return "stale";
    return endedUnder(this.#parts.database, this.queue, lease, index) === outcome.kind ? "settled" : "stale";
  }

  #settleInBlock(block: Block, index: number, outcome: Outcome, turn: Turn): void {
    const { queue } = this;
    const changes = turn.change(queue, block);
    const key = block.key + INDEX_TEXT[index];
    const before = block.marks[index] ?? 0;
    const sequence = markSequence(before);
    this.#effects.leave(markFate(before));
    if (outcome.kind === "release" || (outcome.kind === "lose" && !outcome.failure)) {
      block.marks[index] = markOf(sequence, outcome.kind);
      this.#effects.returnIndex(block, index);
      return;
    }
    block.marks[index] = leftMarkOf(sequence, outcome.kind);
    changes.hasLeaving = true;
    block.left--;
    if (outcome.kind === "ack" || outcome.kind === "discard") {
      this.#countEnd(outcome, turn);
      turn.putBlockResult(queue, block, sequence, { index, ...endOf(outcome) });
      this.#effects.end(key);
    } else {
      this.#moveOut(block, index, outcome, turn);
    }
    this.#effects.changed(block);
  }

  /** Makes a record of its own for a task of a block. */
  #moveOut(block: Block, index: number, outcome: Moved, turn: Turn): void {
    const key = block.key + INDEX_TEXT[index];
    const { hasOptions, runAtMs } = block.name;
    const common = { hasOptions, priority: 0, attempt: 1, lostCount: 0, enqueuedAtMs: block.enqueuedAtMs, runAtMs };
    const task = newAloneTask({ ...common, key, state: "active", stamp: key.slice(0, STAMP_LENGTH) });
    task.mark = markOf(markSequence(block.marks[index] ?? 0), "held");
    task.leasedAttempt = 1;
    task.wasLeasedAlone = false;
    this.#bodies ??= new BlockBodies(this.#parts.database, this.queue);
    const body = this.#bodies.read(block.name, index);
    this.queue.alone.set(key, task);
    turn.onUndo(() => this.queue.alone.delete(key));
    this.#moveAlone(task, { ...common, body, attempts: [] }, outcome, turn);
  }

  #settleAlone(task: AloneTask, outcome: Outcome, turn: Turn): void {
    const fate = markFate(task.mark);
    this.#effects.leaveAlone(task, fate);
    turn.changeAlone(task);
    if (outcome.kind === "ack" || outcome.kind === "discard") this.#endAlone(task, outcome, turn);
    else if (outcome.kind === "release" || (outcome.kind === "lose" && !outcome.failure))
      this.#returnAlone(task, outcome.kind);
    else this.#moveAlone(task, recordOf(this.#parts.database, this.queue, task, turn), outcome, turn);
  }

  #returnAlone(task: AloneTask, kind: "release" | "lose"): void {
    task.state = "ready";
    task.mark = markOf(markSequence(task.mark), kind);
    this.#effects.returnAlone(task);
  }

  /** Writes the record of a task that goes on, or is dead, as it is from now on. */
  #moveAlone(task: AloneTask, record: AloneRecord, outcome: Moved, turn: Turn): void {
    const { counters } = this.queue;
    turn.count(this.queue);
    task.mark = markOf(markSequence(task.mark), outcome.kind);
    // What came back stands where it stood, should the line be made again.
    task.stamp = oldStamp(task);
    const attempts = attemptsAfter(task, record, outcome, turn.nowMs);
    task.hasPast = attempts.length > 0;
    if (outcome.kind === "lose") {
      counters.lost++;
      task.lostCount++;
      task.state = "ready";
      this.#effects.returnAlone(task);
    } else if (outcome.kind === "bury") {
      counters.buried++;
      counters.failed++;
      task.state = "dead";
      task.stamp = turn.stamps.next(turn.nowMs);
      this.#effects.end(task.key);
    } else {
      task.stamp = turn.stamps.next(turn.nowMs);
      task.state = "scheduled";
      task.runAtMs = turn.nowMs + outcome.delayMs;
      if (outcome.kind === "retry") {
        counters.retried++;
        counters.failed++;
        task.attempt++;
      }
      this.#effects.schedule(task, outcome.delayMs);
    }
    const { state, stamp, attempt, lostCount, runAtMs } = task;
    turn.putAlone(this.queue, task, { state, stamp, record: { ...record, attempt, lostCount, runAtMs, attempts } });
    if (outcome.kind === "bury") this.#enterDead(task, outcome, turn);
  }

  #enterDead(task: AloneTask, { failure }: Outcome & { kind: "bury" }, turn: Turn): void {
    const { dead } = this.queue;
    dead.enter(task, failure, turn.nowMs);
    turn.onUndo(() => dead.forget(task));
    dropExcess(this.queue, this.#parts.options.maxDeadPerQueue, turn);
  }

  #endAlone(task: AloneTask, outcome: Ended, turn: Turn): void {
    const { sequence, broker } = { sequence: markSequence(task.mark), broker: this.#parts.brokerId };
    this.#countEnd(outcome, turn);
    task.state = outcome.kind === "ack" ? "completed" : "cancelled";
    task.mark = markOf(sequence, outcome.kind);
    const { leasedAttempt: attempt, lostCount } = task;
    const earlier = task.hasPast ? recordOf(this.#parts.database, this.queue, task, turn).attempts : [];
    const entries = [{ index: 0, ...endOf(outcome) }];
    const record = { broker, sequence, attempt, lostCount, endedAtMs: turn.nowMs, earlier, entries };
    turn.putAloneResult(this.queue, task.key, record);
    turn.remove("a", this.queue, task.key);
    this.#effects.endAlone(task);
  }

  #countEnd({ kind }: Ended, turn: Turn): void {
    turn.count(this.queue);
    const { counters } = this.queue;
    if (kind === "ack") {
      counters.completed++;
    } else {
      counters.failed++;
      counters.cancelled++;
    }
  }

  publish(): void {
    this.#effects.publish(this.#parts);
    this.#request.resolve(this.#answer);
  }

  fail(error: unknown): void {
    this.#request.reject(error);
  }
}

/** A stamp for a task that came back: that of its key; a caller's key has none. */
function oldStamp({ key, enqueuedAtMs }: AloneTask): string {
  return key.startsWith("=") ? base32(enqueuedAtMs, 10).padEnd(STAMP_LENGTH, "0") : key.slice(0, STAMP_LENGTH);
}

function endOf(outcome: Ended) {
  if (outcome.kind === "ack") {
    const { durationMs, workerId, result } = outcome;
    return { durationMs, workerId, result, failure: undefined };
  }
  const { durationMs, workerId, type, message, stack } = outcome.failure;
  return { durationMs, workerId, result: undefined, failure: { type, message, stack } };
}

/** The attempts of a task that goes on, or is dead, with the one that ended. */
function attemptsAfter(
  { attempt }: AloneTask,
  { enqueuedAtMs, runAtMs, attempts }: AloneRecord,
  outcome: Moved,
  nowMs: number,
): AloneRecord["attempts"] {
  if (outcome.kind === "snooze" || !outcome.failure) return attempts;
  const how = outcome.kind === "lose" ? "lost" : "failed";
  return keepAttempt(failedAttempt({ attempt, enqueuedAtMs, runAtMs }, how, outcome.failure, nowMs), attempts);
}
