/** Takes ready tasks out of the line. It touches no disk but to read bodies: a lease is a mark in memory. */

import { joinBodies } from "../bodies.ts";
import type { ClaimLimit, Grant } from "../store.ts";
import type { AloneTask } from "./alone-task.ts";
import { Block, type BlockRun } from "./block.ts";
import type { LineHead } from "./line.ts";
import { hasLeft, markOf } from "./mark.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";
import { readAlone, readContent } from "./stored-tasks.ts";

interface Budget {
  tasks: number;
  bytes: number;
  isFirst: boolean;
}

export class Claimer {
  readonly #parts: EmbeddedParts;
  #lastSequence = 0;

  constructor(parts: EmbeddedParts) {
    this.#parts = parts;
  }

  claim(queue: Queue, { maxTasks, maxBytes }: ClaimLimit): Grant[] {
    if (queue.isPaused) return [];
    queue.promote(Number.POSITIVE_INFINITY, Date.now());
    const budget: Budget = { tasks: maxTasks, bytes: maxBytes, isFirst: true };
    const grants: Grant[] = [];
    while (budget.tasks > 0) {
      const head = queue.head();
      if (head === undefined) break;
      const goesOn =
        head.kind === "alone"
          ? this.#takeAlone(queue, head.task, budget, grants)
          : this.#takeRun(queue, head, budget, grants);
      if (!goesOn) break;
    }
    const taken = maxTasks - budget.tasks;
    queue.gauges.ready -= taken;
    queue.gauges.active += taken;
    queue.counters.dequeued += taken;
    return grants;
  }

  /** False when the budget does not reach. */
  #takeAlone(queue: Queue, task: AloneTask, budget: Budget, grants: Grant[]): boolean {
    // A late ack, or a cancellation, ended it, but left it in the line.
    if (task.state !== "ready") {
      queue.shift();
      return true;
    }
    const { key, attempt, lostCount, enqueuedAtMs, hasOptions } = task;
    const { body, runAtMs } = readAlone(this.#parts.database, queue, key);
    if (!fits(body.length, budget)) return false;
    queue.shift();
    budget.tasks--;
    const lease = this.#newLease(queue);
    task.state = "active";
    queue.activeAlone.add(task);
    task.mark = markOf(lease.sequence, "held");
    task.leasedAttempt = attempt;
    task.wasLeasedAlone = true;
    const bodies = joinBodies([body]);
    grants.push({
      ...lease,
      block: key,
      alone: true,
      attempt,
      first: 0,
      count: 1,
      bodies,
      lostCount,
      enqueuedAtMs,
      runAtMs,
      hasOptions,
    });
    return true;
  }

  /** Takes the ready tasks from the head of the line up to the first gap, or as many as the budget reaches for. */
  #takeRun(queue: Queue, head: BlockRun | (LineHead & { kind: "block" }), budget: Budget, grants: Grant[]): boolean {
    const block = head.kind === "run" ? head.block : this.#openBlock(queue, head);
    while (head.first < head.end && hasLeft(block.marks[head.first] ?? 0)) head.first++;
    if (head.first < head.end && !this.#takePiece(queue, block, head, budget, grants)) return false;
    if (head.first < head.end) return true;
    queue.shift();
    if (head.kind === "block") {
      block.places--;
      queue.dropEnded(block);
    }
    const next = queue.head();
    if (next?.kind !== "run" || next.block !== block) block.content = undefined;
    return true;
  }

  #openBlock(queue: Queue, { name }: LineHead & { kind: "block" }): Block {
    let block = queue.blocks.get(name.key);
    if (block === undefined) {
      block = new Block(name);
      block.places = 1;
      queue.blocks.set(name.key, block);
    }
    block.content ??= this.#parts.cache.take(name.key);
    return block;
  }

  #takePiece(
    queue: Queue,
    block: Block,
    head: { first: number; readonly end: number },
    budget: Budget,
    grants: Grant[],
  ): boolean {
    block.content ??= readContent(this.#parts.database, queue, block);
    const { content } = block;
    const { first } = head;
    const reader = block.readerAt(content, first);
    const start = reader.at;
    let at = start;
    let index = first;
    for (; index < head.end && budget.tasks > 0 && !hasLeft(block.marks[index] ?? 0); index++) {
      const length = reader.next();
      if (!fits(length, budget)) break;
      reader.at += length;
      at = reader.at;
      budget.tasks--;
    }
    if (index === first) return false;
    block.remember(index, at);
    const lease = this.#newLease(queue);
    block.marks.fill(markOf(lease.sequence, "held"), first, index);
    head.first = index;
    grants.push({
      ...lease,
      block: block.key,
      alone: false,
      attempt: 1,
      first,
      count: index - first,
      bodies: at - start === content.length ? content : content.subarray(start, at),
      lostCount: 0,
      enqueuedAtMs: block.enqueuedAtMs,
      runAtMs: block.name.runAtMs,
      hasOptions: block.name.hasOptions,
    });
    return index === head.end || budget.tasks === 0 || hasLeft(block.marks[index] ?? 0);
  }

  #newLease(queue: Queue) {
    return { queue: queue.name, broker: this.#parts.brokerId, sequence: ++this.#lastSequence };
  }
}

/** Takes the bytes from the budget. The first task is taken even when it is larger. */
function fits(bytes: number, budget: Budget): boolean {
  if (bytes > budget.bytes && !budget.isFirst) return false;
  budget.bytes -= bytes;
  budget.isFirst = false;
  return true;
}
