/** Makes the state of all queues again from their records, when a store is opened. */

import type { AloneRecord } from "../records.ts";
import { decodeStoredAlone } from "./alone-record.ts";
import { type AloneTask, byStamp, newAloneTask } from "./alone-task.ts";
import { Block, type BlockRun, decodeLeft } from "./block.ts";
import { type BlockName, parseBlockName } from "./block-name.ts";
import { countAlive, countDead, decodeCounters } from "./counters.ts";
import type { Database } from "./database.ts";
import { DamageError, nameOf, queueIdOf } from "./disk.ts";
import { readFormat } from "./format.ts";
import { hasLeft } from "./mark.ts";
import { decodeBatch, parseProducerName } from "./producers.ts";
import type { Queue } from "./queue.ts";
import type { Registry } from "./registry.ts";
import { STAMP_LENGTH, type Stamps } from "./stamps.ts";
import { decodeSteering } from "./steering.ts";

/** A dead task, with what it died of. */
interface Dead {
  readonly stamp: string;
  readonly queue: Queue;
  readonly task: AloneTask;
  readonly last: AloneRecord["attempts"][number] | undefined;
}

/** A task alone, or tasks of a block, that are scheduled. */
interface Scheduled {
  readonly stamp: string;
  readonly queue: Queue;
  readonly item: AloneTask | BlockRun;
}

export class Loader {
  readonly #database: Database;
  readonly #registry: Registry;
  readonly #stamps: Stamps;
  readonly #queues = new Map<number, Queue>();
  readonly #scheduled: Scheduled[] = [];
  readonly #dead: Dead[] = [];

  constructor(database: Database, registry: Registry, stamps: Stamps) {
    this.#database = database;
    this.#registry = registry;
    this.#stamps = stamps;
  }

  load(): void {
    const queueCount = readFormat(this.#database);
    for (const { key } of this.#database.all("q")) {
      const id = queueIdOf(key);
      this.#queues.set(id, this.#registry.restore(nameOf(key), id));
    }
    if (this.#queues.size !== queueCount)
      throw new DamageError(`it should have ${queueCount} queues, but has ${this.#queues.size}`);
    this.#loadCounters();
    this.#loadSteering();
    this.#loadProducers();
    this.#loadLeft();
    this.#loadLines(this.#loadAlone());
    this.#loadSchedules();
    this.#loadDead();
    this.#checkCounts();
  }

  /** A damaged page may hide records: then fewer are found than were counted. */
  #checkCounts(): void {
    for (const { name, gauges, counters, dead } of this.#queues.values()) {
      const found = gauges.ready + gauges.scheduled;
      const counted = countAlive(counters);
      const countedDead = countDead(counters);
      if (found !== counted || dead.size !== countedDead)
        throw new DamageError(
          `queue ${name} should have ${counted} tasks and ${countedDead} dead ones, but has ${found} and ${dead.size}`,
        );
    }
  }

  #queueOf(key: Buffer): Queue {
    const queue = this.#queues.get(queueIdOf(key));
    if (!queue) throw new DamageError(`the record of queue number ${queueIdOf(key)} is missing`);
    return queue;
  }

  #loadCounters(): void {
    for (const { key, content } of this.#database.all("c"))
      this.#stamps.goOnAfter(decodeCounters(content, this.#queueOf(key).counters));
    for (const { key, content } of this.#database.all("t"))
      this.#queueOf(key).enqueuedByType.set(nameOf(key), content.readUIntBE(0, 6));
  }

  #loadSteering(): void {
    for (const { key, content } of this.#database.all("s")) {
      const queue = this.#queueOf(key);
      queue.steering = decodeSteering(content);
      queue.isPaused = queue.steering.policy.paused;
    }
  }

  #loadProducers(): void {
    for (const { key, content } of this.#database.all("p")) {
      const { atMs, parts } = decodeBatch(Buffer.from(content));
      this.#queueOf(key).producers.add(parseProducerName(nameOf(key)), parts, atMs);
    }
  }

  /** Which tasks left blocks of which others remain. The blocks themselves are read last. */
  #loadLeft(): void {
    for (const { key, content } of this.#database.all("l")) {
      const block = decodeLeft(nameOf(key), Buffer.from(content));
      this.#queueOf(key).blocks.set(block.key, block);
    }
  }

  /** Tasks alone: those that are ready are returned, in order. */
  #loadAlone(): Map<Queue, AloneTask[]> {
    const ready = new Map<Queue, AloneTask[]>();
    for (const { key, content } of this.#database.all("a")) {
      const queue = this.#queueOf(key);
      const { task, last } = readAlone(nameOf(key), Buffer.from(content));
      const { state, stamp } = task;
      queue.alone.set(task.key, task);
      this.#stamps.goOnAfter(stamp);
      if (state === "dead") this.#dead.push({ queue, stamp, task, last });
      if (state === "scheduled") this.#scheduled.push({ queue, stamp, item: task });
      if (state !== "ready") continue;
      const others = ready.get(queue);
      if (others) others.push(task);
      else ready.set(queue, [task]);
    }
    for (const waiting of ready.values()) waiting.sort(byStamp);
    return ready;
  }

  /** Blocks and ready tasks alone, merged in the order in which they came. */
  #loadLines(ready: ReadonlyMap<Queue, AloneTask[]>): void {
    const pushed = new Map<Queue, number>();
    const pushUntil = (queue: Queue, stamp: string) => {
      const waiting = ready.get(queue);
      if (!waiting) return;
      let next = pushed.get(queue) ?? 0;
      for (; next < waiting.length; next++) {
        const one = waiting[next];
        if (!one || one.stamp >= stamp) break;
        queue.pushAlone(one);
      }
      pushed.set(queue, next);
    };
    for (const { key } of this.#database.all("b")) {
      const queue = this.#queueOf(key);
      const name = nameOf(key);
      const stamp = name.slice(0, STAMP_LENGTH);
      pushUntil(queue, stamp);
      this.#stamps.goOnAfter(stamp);
      this.#loadBlock(queue, stamp, name);
    }
    for (const queue of ready.keys()) pushUntil(queue, AFTER_ALL);
  }

  #loadBlock(queue: Queue, stamp: string, diskName: string): void {
    const name = parseBlockName(diskName);
    const known = queue.blocks.get(name.key);
    if (name.runAtMs === 0) {
      for (const { first, end } of runsOf(name, known)) {
        if (known) known.places++;
        queue.pushBlock(diskName, first, end);
      }
      return;
    }
    const block = known ?? new Block(name);
    queue.blocks.delete(block.key);
    for (const { first, end } of runsOf(name, known))
      this.#scheduled.push({ queue, stamp, item: { kind: "run", block, first, end } });
  }

  /** What was due before is so again: a promotion is not on disk. */
  #loadSchedules(): void {
    for (const { queue, item } of this.#scheduled.sort(byStamp)) {
      if ("block" in item) queue.scheduleRun(item);
      else queue.scheduleAlone(item);
    }
  }

  /** In the order in which they died, as they came to their groups. */
  #loadDead(): void {
    for (const { queue, task, last } of this.#dead.sort(byStamp))
      queue.dead.enter(task, last?.failure ?? NO_FAILURE, last?.endedAtMs ?? 0);
  }
}

const NO_FAILURE = { type: "", message: "" };

/** No stamp has this letter. */
const AFTER_ALL = "~";

function readAlone(key: string, bytes: Buffer) {
  const { state, stamp, record } = decodeStoredAlone(bytes);
  const task = newAloneTask({ ...record, key, state, stamp });
  task.hasPast = record.attempts.length > 0;
  return { task, last: record.attempts[0] };
}

/** The tasks of a block that have not left it. */
function* runsOf({ count }: BlockName, known: Block | undefined): Generator<{ first: number; end: number }> {
  if (!known) {
    yield { first: 0, end: count };
    return;
  }
  const isHere = (index: number) => !hasLeft(known.marks[index] ?? 0);
  for (let first = 0; first < count; first++) {
    if (!isHere(first)) continue;
    let end = first;
    while (end < count && isHere(end)) end++;
    yield { first, end };
    first = end;
  }
}
