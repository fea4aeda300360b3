/**
 * What one commit writes, and how memory is put back should it fail. Calls prepare their writes in a turn, one after the
 * other; what is shared by several calls (counters, what left a block, results of a block) is written once, at the end.
 */
import { type AloneRecord, encodeResults, type ResultEntry, type ResultRecord } from "../records.ts";
import { encodeStoredAlone, type StoredAlone } from "./alone-record.ts";
import type { AloneTask } from "./alone-task.ts";
import { type Block, encodeLeft } from "./block.ts";
import { BlockBuilder } from "./block-builder.ts";
import { encodeCounters } from "./counters.ts";
import type { Write } from "./database.ts";
import { diskKey, type Kind, seal, sealInPlace } from "./disk.ts";
import { formatWrite } from "./format.ts";
import type { Queue } from "./queue.ts";
import { encodeResultNames, type ResultName } from "./result-names.ts";
import type { Stamps } from "./stamps.ts";
import { encodeSteering, type Steering } from "./steering.ts";

/** Result records that one record of the index names at most. */
const INDEXED_TOGETHER = 250;

interface BlockChanges {
  readonly queue: Queue;
  /** Whether tasks left it; if not, nothing is written. */
  hasLeaving: boolean;
  /** By lease: the tasks that ended under it. */
  readonly results: Map<number, ResultEntry[]>;
  /** The same of those that were cancelled; 0 for those that waited. */
  readonly cancelled: Map<number, ResultEntry[]>;
}

/** The broker of results that no lease brought about: no settlement is taken for theirs. */
const NO_BROKER = "";

export class Turn {
  readonly nowMs: number;
  readonly stamps: Stamps;
  readonly writes: Write[] = [];
  /** Bytes of values: bounds what one commit takes. */
  bytes = 0;
  readonly #undos: (() => void)[] = [];
  readonly #blocks = new Map<Block, BlockChanges>();
  /** New blocks, in order. */
  readonly #newBlocks: { readonly queue: Queue; readonly builder: BlockBuilder }[] = [];
  /** Those that take more tasks: ready ones, and scheduled ones. */
  readonly #openBlocks = new Map<Queue, BlockBuilder>();
  readonly #openScheduled = new Map<Queue, BlockBuilder>();
  readonly #results = new Map<Queue, ResultName[]>();
  readonly #steered = new Set<Queue>();
  /** What was written of tasks alone: the disk does not have it yet. */
  readonly #records = new Map<AloneTask, AloneRecord>();
  /** The types that were counted, by queue. */
  readonly #queues = new Map<Queue, Set<string>>();

  constructor(nowMs: number, stamps: Stamps) {
    this.nowMs = nowMs;
    this.stamps = stamps;
  }

  put(kind: Kind, queue: Queue, name: string, content: Uint8Array): void {
    const key = diskKey(kind, queue.id, name);
    const value = seal(key, content);
    this.writes.push({ key, value });
    this.bytes += value.length;
  }

  /** Tells the record of the format how many queues there are. */
  putFormat(queueCount: number): void {
    this.writes.push(formatWrite(queueCount));
  }

  remove(kind: Kind, queue: Queue, name: string): void {
    this.writes.push({ key: diskKey(kind, queue.id, name), value: undefined });
  }

  /** The block that takes the next plain task of a queue, which is due at `runAtMs`, or, if that is 0, ready. */
  blockFor(queue: Queue, body: Uint8Array, hasOptions: boolean, runAtMs: number): BlockBuilder {
    this.bytes += body.length;
    const openBlocks = runAtMs > 0 ? this.#openScheduled : this.#openBlocks;
    const open = openBlocks.get(queue);
    if (open?.canTake(body, hasOptions, runAtMs)) return open;
    const builder = new BlockBuilder(this.stamps.nextBlockKey(this.nowMs), hasOptions, runAtMs);
    openBlocks.set(queue, builder);
    this.#newBlocks.push({ queue, builder });
    return builder;
  }

  /** What comes later must not stand in the same block as what came before. */
  closeBlock(queue: Queue): void {
    this.#openBlocks.delete(queue);
    this.#openScheduled.delete(queue);
  }

  onUndo(undo: () => void): void {
    this.#undos.push(undo);
  }

  /** To be called before the counters of a queue are changed. */
  count(queue: Queue): Set<string> {
    let types = this.#queues.get(queue);
    if (types === undefined) {
      types = new Set();
      this.#queues.set(queue, types);
      const before = { ...queue.counters };
      this.onUndo(() => Object.assign(queue.counters, before));
    }
    return types;
  }

  countType(queue: Queue, type: string, count: number): void {
    this.count(queue).add(type);
    const before = queue.enqueuedByType.get(type) ?? 0;
    queue.enqueuedByType.set(type, before + count);
    this.onUndo(() => queue.enqueuedByType.set(type, before));
  }

  /** To be called before the marks of a block are changed. */
  change(queue: Queue, block: Block): BlockChanges {
    let changes = this.#blocks.get(block);
    if (changes === undefined) {
      changes = { queue, hasLeaving: false, results: new Map(), cancelled: new Map() };
      this.#blocks.set(block, changes);
      const { marks, left, hasLeftRecord } = block;
      block.marks = marks.slice();
      this.onUndo(() => Object.assign(block, { marks, left, hasLeftRecord }));
    }
    return changes;
  }

  /** To be called before a task is changed. */
  changeAlone(task: AloneTask): void {
    const before = { ...task };
    this.onUndo(() => Object.assign(task, before));
  }

  /** To be called instead of setting it. */
  steer(queue: Queue, steering: Steering): void {
    const before = queue.steering;
    this.onUndo(() => {
      queue.steering = before;
    });
    queue.steering = steering;
    this.#steered.add(queue);
  }

  putAlone(queue: Queue, task: AloneTask, stored: StoredAlone): void {
    this.#records.set(task, stored.record);
    this.put("a", queue, task.key, encodeStoredAlone(stored));
  }

  /** What this turn wrote of a task alone. */
  recordOf(task: AloneTask): AloneRecord | undefined {
    return this.#records.get(task);
  }

  /** Keeps how a task of a block ended. */
  putBlockResult(queue: Queue, block: Block, sequence: number, entry: ResultEntry): void {
    addTo(this.change(queue, block).results, sequence, entry);
  }

  /** Keeps that a task of a block was cancelled, under this lease, or, if that is 0, while it waited. */
  putBlockCancelled(queue: Queue, block: Block, sequence: number, entry: ResultEntry): void {
    addTo(this.change(queue, block).cancelled, sequence, entry);
  }

  /** How a task of a block ended in this turn. */
  endInBlock(block: Block, index: number): ResultEntry | undefined {
    const { results, cancelled } = this.#blocks.get(block) ?? NO_CHANGES;
    for (const entries of [...results.values(), ...cancelled.values()]) {
      const found = entries.find((entry) => entry.index === index);
      if (found) return found;
    }
    return undefined;
  }

  /** Keeps how a task alone ended. */
  putAloneResult(queue: Queue, key: string, record: Omit<ResultRecord, "broker"> & { broker?: string }): void {
    const result = { broker: NO_BROKER, ...record };
    this.#putResult(queue, encodeResults(result), { name: key, count: 1, ...kindsOf(record.entries) });
  }

  #putResult(queue: Queue, records: Uint8Array, name: ResultName): void {
    this.count(queue);
    queue.counters.results += name.count;
    this.put("r", queue, name.name, records);
    const names = this.#results.get(queue);
    if (names) names.push(name);
    else this.#results.set(queue, [name]);
  }

  /** Writes what the calls share. `broker` is whose leases ended tasks of blocks. */
  finish(broker: string): void {
    for (const { queue, builder } of this.#newBlocks) {
      const key = diskKey("b", queue.id, builder.diskName);
      builder.value = sealInPlace(key, builder.toValue());
      this.writes.push({ key, value: builder.value });
    }
    for (const [block, { queue, results, cancelled, hasLeaving }] of this.#blocks) {
      if (!hasLeaving) continue;
      if (results.size > 0) this.#putBlockResults(queue, block, results, broker);
      if (cancelled.size > 0) this.#putBlockResults(queue, block, cancelled, NO_BROKER);
      if (block.left === 0) {
        this.remove("b", queue, block.diskName);
        if (block.hasLeftRecord) this.remove("l", queue, block.key);
      } else {
        this.put("l", queue, block.key, encodeLeft(block));
        block.hasLeftRecord = true;
      }
    }
    for (const [queue, names] of this.#results) {
      for (let at = 0; at < names.length; at += INDEXED_TOGETHER) {
        const some = names.slice(at, at + INDEXED_TOGETHER);
        this.put("i", queue, this.stamps.next(this.nowMs), encodeResultNames(some));
      }
    }
    for (const queue of this.#steered) this.put("s", queue, "", encodeSteering(queue.steering));
    for (const [queue, types] of this.#queues) {
      for (const type of types) {
        const count = Buffer.alloc(6);
        count.writeUIntBE(queue.enqueuedByType.get(type) ?? 0, 0, 6);
        this.put("t", queue, type, count);
      }
      this.put("c", queue, "", encodeCounters(queue.counters, this.stamps.last));
    }
  }

  #putBlockResults(queue: Queue, block: Block, results: Map<number, ResultEntry[]>, broker: string): void {
    let count = 0;
    const kinds = { hasCompleted: false, hasCancelled: false };
    const records: Buffer[] = [];
    for (const [sequence, entries] of results) {
      count += entries.length;
      const { hasCompleted, hasCancelled } = kindsOf(entries);
      kinds.hasCompleted ||= hasCompleted;
      kinds.hasCancelled ||= hasCancelled;
      records.push(encodeResults({ broker, sequence, attempt: 1, lostCount: 0, endedAtMs: this.nowMs, entries }));
    }
    // The stamp makes it a record of its own beside those of earlier commits.
    const [only] = records;
    const joined = records.length === 1 && only ? only : Buffer.concat(records);
    const name = block.key + this.stamps.next(this.nowMs);
    this.#putResult(queue, joined, { name, count, ...kinds });
  }

  /** Puts memory back to what it was before the turn. */
  undo(): void {
    for (const undo of this.#undos.reverse()) undo();
  }
}

const NO_CHANGES: Pick<BlockChanges, "results" | "cancelled"> = { results: new Map(), cancelled: new Map() };

function kindsOf(entries: readonly ResultEntry[]) {
  let cancelled = 0;
  for (const { failure } of entries) if (failure) cancelled++;
  return { hasCompleted: cancelled < entries.length, hasCancelled: cancelled > 0 };
}

function addTo(results: Map<number, ResultEntry[]>, sequence: number, entry: ResultEntry): void {
  const entries = results.get(sequence);
  if (entries) entries.push(entry);
  else results.set(sequence, [entry]);
}
