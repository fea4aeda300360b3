/** The enqueues of one tick for one queue: from tasks to the script's arguments, and from its reply to answers. */
import { blockKey, INDEX_TEXT, MAX_BLOCK_TASKS, newNonce, newTaskKey } from "../../domain/ids.ts";
import type { TaskState } from "../../domain/state.ts";
import { varintLength } from "../../lib/varint.ts";
import { joinBodies } from "../bodies.ts";
import type { Enqueued, NewTask, Producer } from "../store.ts";
import { encodeRecord, rankOf } from "./alone-record.ts";
import { parseEntryId } from "./lease-text.ts";
import type { Argument } from "./script.ts";

/** A block is closed when it has this many bytes: a claim of few tasks reads all of it. */
const MAX_BLOCK_BYTES = 256 * 1024;

export interface EnqueueCall {
  readonly tasks: readonly NewTask[];
  readonly producer: Producer | undefined;
  resolve(enqueued: readonly Enqueued[] | Promise<readonly Enqueued[]>): void;
  reject(error: unknown): void;
}

/** Where the tasks of a call went: a run of tasks of the nth block, or the nth task alone. */
type Segment =
  | { readonly kind: "block"; readonly n: number; readonly first: number; count: number }
  | { readonly kind: "alone"; readonly n: number; readonly key: string };

interface OpenBlock {
  readonly tasks: NewTask[];
  bytes: number;
}

/** The bodies of a block, as they went to Redis. */
export interface SentBlock {
  readonly joined: Buffer;
  readonly count: number;
}

export class EnqueueBatch {
  readonly calls: readonly EnqueueCall[];
  readonly blocks: SentBlock[] = [];
  readonly #segments: Segment[][] = [];
  readonly #items: Argument[] = [];
  readonly #types = new Map<string, number>();
  readonly #nonce = newNonce();
  readonly #nowMs: number;
  #itemCount = 0;
  #aloneCount = 0;
  #open: OpenBlock | undefined;

  constructor(calls: readonly EnqueueCall[], nowMs: number) {
    this.calls = calls;
    this.#nowMs = nowMs;
    for (const call of calls) {
      // A producer's batch keeps to its own blocks, so that it can be answered again without the others.
      if (call.producer) this.#closeBlock();
      this.#segments.push(this.#add(call.tasks));
      if (call.producer) this.#closeBlock();
    }
    this.#closeBlock();
  }

  #add(tasks: readonly NewTask[]): Segment[] {
    const segments: Segment[] = [];
    for (const task of tasks) {
      if (task.key === undefined && task.priority === 0 && task.delayMs === 0 && task.runAtMs === 0) this.#addPlain(task, segments);
      else this.#addAlone(task, segments);
    }
    return segments;
  }

  #addPlain(task: NewTask, segments: Segment[]): void {
    const { length } = task.body;
    if (this.#open && (this.#open.tasks.length === MAX_BLOCK_TASKS || this.#open.bytes + length > MAX_BLOCK_BYTES)) this.#closeBlock();
    this.#open ??= { tasks: [], bytes: 0 };
    const index = this.#open.tasks.push(task) - 1;
    this.#open.bytes += length;
    this.#types.set(task.type, (this.#types.get(task.type) ?? 0) + 1);
    const last = segments.at(-1);
    if (last?.kind === "block" && last.n === this.blocks.length) last.count++;
    else segments.push({ kind: "block", n: this.blocks.length, first: index, count: 1 });
  }

  #closeBlock(): void {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    const bodies = open.tasks.map((task) => task.body);
    const joined = joinBodies(bodies);
    const flags = open.tasks.some((task) => task.hasOptions) ? 1 : 0;
    const longer = bodies.reduce((sum, body) => sum + varintLength(body.length) - 1, 0);
    const header = Buffer.allocUnsafe(9);
    header[0] = flags;
    header[1] = bodies.length;
    header.write(this.#nonce, 2, "latin1");
    header[8] = longer;
    this.#items.push("b", Buffer.concat([header, joined]), bodies.length);
    this.#itemCount++;
    this.blocks.push({ joined, count: bodies.length });
  }

  #addAlone(task: NewTask, segments: Segment[]): void {
    // What stands before it in the call stands before it in the line.
    this.#closeBlock();
    const key = task.key ?? newTaskKey(this.#nowMs);
    const runAtMs = task.runAtMs > 0 ? task.runAtMs : task.delayMs > 0 ? this.#nowMs + task.delayMs : 0;
    const { hasOptions, priority, body } = task;
    const meta = { hasOptions, priority, attempt: 1, lostCount: 0, enqueuedAtMs: this.#nowMs, runAtMs, lastFailure: undefined, lastEndedAtMs: 0 };
    this.#items.push("a", key, task.type, rankOf(priority), task.delayMs, task.runAtMs, encodeRecord(meta, body));
    this.#itemCount++;
    segments.push({ kind: "alone", n: this.#aloneCount++, key });
  }

  /** The arguments from `nonce` on. */
  args(claims: readonly Argument[]): Argument[] {
    const calls: Argument[] = [];
    for (const [i, { producer }] of this.calls.entries()) {
      if (producer) calls.push(producer.id, producer.sequence, (this.#segments[i] ?? []).map(segmentText).join(","));
    }
    const types = [...this.#types].flat();
    return [this.#nonce, calls.length / 3, types.length / 2, this.#itemCount, claims.length / 3, ...calls, ...types, ...this.#items, ...claims];
  }

  /** The calls that came from a producer, in order: the script counts only these. */
  get producerCalls(): readonly EnqueueCall[] {
    return this.calls.filter(({ producer }) => producer);
  }

  /** The answers to all calls. An ended task, whose state the script cannot tell, is looked up. */
  answers(answer: string, findState: (key: string) => Promise<TaskState>): (readonly Enqueued[] | Promise<readonly Enqueued[]>)[] {
    const [ids = "", outcomes = ""] = answer.split("|");
    const made = new MadeTasks(this.#nonce, ids, outcomes, findState);
    return this.#segments.map((segments) => made.resolve(segments));
  }
}

function segmentText(segment: Segment): string {
  return segment.kind === "block" ? `b${segment.n}.${segment.first}.${segment.count}` : `a${segment.n}.${segment.key}`;
}

function parseSegment(text: string): Segment {
  const dot = text.indexOf(".");
  const n = Number(text.slice(1, dot));
  if (text.startsWith("a")) return { kind: "alone", n, key: text.slice(dot + 1) };
  const [first, count] = text.slice(dot + 1).split(".").map(Number);
  return { kind: "block", n, first: first ?? 0, count: count ?? 0 };
}

/** The answer to a batch that its producer sent before: `sequence|segments|nonce|ids|outcomes`. */
export function answerAgain(made: string, findState: (key: string) => Promise<TaskState>): readonly Enqueued[] | Promise<readonly Enqueued[]> {
  const [, segments = "", nonce = "", ids = "", outcomes = ""] = made.split("|");
  return new MadeTasks(nonce, ids, outcomes, findState).resolve(segments === "" ? [] : segments.split(",").map(parseSegment));
}

const STATES: Readonly<Record<string, TaskState>> = { s: "scheduled", r: "ready", a: "active", d: "dead" };

/** What a script made: the ids of the blocks and the outcomes of the tasks alone. */
class MadeTasks {
  readonly #nonce: string;
  readonly #ids: readonly string[];
  readonly #outcomes: readonly string[];
  readonly #findState: (key: string) => Promise<TaskState>;

  constructor(nonce: string, ids: string, outcomes: string, findState: (key: string) => Promise<TaskState>) {
    this.#nonce = nonce;
    this.#ids = ids === "" ? [] : ids.split(",");
    this.#outcomes = outcomes === "" ? [] : outcomes.split(",");
    this.#findState = findState;
  }

  resolve(segments: readonly Segment[]): readonly Enqueued[] | Promise<readonly Enqueued[]> {
    const enqueued: (Enqueued | Promise<Enqueued>)[] = [];
    let pending = false;
    for (const segment of segments) {
      if (segment.kind === "block") this.#pushBlock(segment, enqueued);
      else {
        const one = this.#alone(segment.key, this.#outcomes[segment.n] ?? "");
        pending ||= one instanceof Promise;
        enqueued.push(one);
      }
    }
    // Without a pending one all are there.
    return pending ? Promise.all(enqueued) : (enqueued as Enqueued[]);
  }

  #pushBlock({ n, first, count }: { n: number; first: number; count: number }, into: (Enqueued | Promise<Enqueued>)[]): void {
    const block = blockKey({ ...parseEntryId(this.#ids[n] ?? ""), nonce: this.#nonce });
    for (let i = first; i < first + count; i++) into.push({ kind: "created", key: block + INDEX_TEXT[i], state: "ready", runAtMs: 0 });
  }

  #alone(key: string, outcome: string): Enqueued | Promise<Enqueued> {
    if (outcome.startsWith("c")) {
      const runAtMs = Number(outcome.slice(1));
      return { kind: "created", key, state: runAtMs > 0 ? "scheduled" : "ready", runAtMs };
    }
    const state = STATES[outcome[1] ?? ""];
    if (state) return { kind: "existing", key, state, runAtMs: Number(outcome.slice(2)) };
    return this.#findState(key).then((found) => ({ kind: "existing", key, state: found, runAtMs: 0 }));
  }
}
