/** Packs the enqueue calls of one tick into the arguments of one script call, and reads its answer. */
import { INDEX_TEXT, MAX_BLOCK_TASKS, newNonce, newTaskKey } from "../../domain/ids.ts";
import type { TaskState } from "../../domain/state.ts";
import { varintLength, writeVarint } from "../../lib/varint.ts";
import type { Enqueued, NewTask, Producer } from "../store.ts";
import { encodeValue } from "./alone-value.ts";
import { type BlockLease, blockKeyOf } from "./held-lease.ts";
import type { Argument } from "./script.ts";
import { rankOf } from "./task-state.ts";

/** Flags, count, nonce, and by how much the lengths exceed one byte each. */
const HEADER = 9;
const NONCE_AT = 2;
const EXCESS_AT = 8;
/** A slice of a block is found by reading all of it: it must not be large. */
const MAX_BLOCK_BYTES = 64 * 1_024;

export interface EnqueueRequest {
  readonly tasks: readonly NewTask[];
  readonly producer: Producer | undefined;
}

/** A caller's key names a task that has ended: how, only its result tells. */
export type Ended = Omit<Enqueued, "state"> & { readonly state: undefined };

/** Where the tasks of a request are: a run of a block, or, with a key, alone. */
interface Token {
  /** Counted from 0, as are tasks alone. */
  readonly ordinal: number;
  readonly first: number;
  count: number;
  readonly key: string;
}

interface OpenBlock {
  readonly bodies: Uint8Array[];
  bytes: number;
  excess: number;
  readonly hasOptions: boolean;
}

export class EnqueueBatch {
  readonly nonce = newNonce();
  /** The values of the blocks, as they are stored. */
  readonly blocks: Buffer[] = [];
  readonly #nowMs: number;
  readonly #calls: Argument[] = [];
  readonly #types = new Map<string, number>();
  readonly #items: Argument[] = [];
  readonly #tokens: Token[][] = [];
  #callCount = 0;
  #taskCount = 0;
  #itemCount = 0;
  #aloneCount = 0;
  #open: OpenBlock | undefined;

  constructor(requests: readonly EnqueueRequest[], nowMs: number) {
    this.#nowMs = nowMs;
    for (const request of requests) this.#add(request);
    this.#close();
  }

  /** For the script's list, up to its claims. */
  get list(): readonly Argument[] {
    const types = [...this.#types].flat();
    return [...this.#calls, ...types, ...this.#items];
  }

  get counts(): { readonly calls: number; readonly types: number; readonly items: number; readonly tasks: number } {
    return { calls: this.#callCount, types: this.#types.size, items: this.#itemCount, tasks: this.#taskCount };
  }

  /** What each request is told, in order. `answer` is what the script returned. */
  answers(answer: string): (Enqueued | Ended)[][] {
    const read = readAnswer(this.nonce, answer);
    return this.#tokens.map(read);
  }

  /** The bodies of a lease on one of the blocks, from memory. `ordinal` counts from 1. */
  bodies(ordinal: number, lease: BlockLease): Buffer {
    const block = this.blocks[ordinal - 1];
    if (!block) throw new Error(`the script refers to block ${ordinal} of ${this.blocks.length}`);
    let at = HEADER;
    for (let index = 0; index < lease.first; index++) at = skipBody(block, at);
    if (lease.first + lease.count === lease.total) return block.subarray(at);
    let end = at;
    for (let n = 0; n < lease.count; n++) end = skipBody(block, end);
    return block.subarray(at, end);
  }

  #add({ tasks, producer }: EnqueueRequest): void {
    this.#taskCount += tasks.length;
    const tokens: Token[] = [];
    let run: Token | undefined;
    for (const task of tasks) {
      if (!isPlain(task)) {
        run = undefined;
        tokens.push(this.#addAlone(task));
        continue;
      }
      const first = this.#addPlain(task);
      if (run?.ordinal === this.blocks.length && run.first + run.count === first) {
        run.count++;
      } else {
        run = { ordinal: this.blocks.length, first, count: 1, key: "" };
        tokens.push(run);
      }
    }
    this.#tokens.push(tokens);
    if (!producer) return;
    this.#callCount++;
    this.#calls.push(producer.id, producer.sequence, tokens.map(tokenText).join(","));
  }

  /** Returns its index in the block that is open then. */
  #addPlain({ body, type, hasOptions }: NewTask): number {
    const length = varintLength(body.length);
    const open = this.#open;
    const isFull =
      open?.bodies.length === MAX_BLOCK_TASKS || (open?.bytes ?? 0) + length + body.length > MAX_BLOCK_BYTES;
    // Tasks with options and tasks without are not mixed: a grant tells of all its bodies at once.
    if (open && (isFull || open.hasOptions !== hasOptions)) this.#close();
    const block = this.#open ?? { bodies: [], bytes: 0, excess: 0, hasOptions };
    this.#open = block;
    block.bodies.push(body);
    block.bytes += length + body.length;
    block.excess += length - 1;
    this.#types.set(type, (this.#types.get(type) ?? 0) + 1);
    return block.bodies.length - 1;
  }

  #addAlone(task: NewTask): Token {
    const { body, hasOptions, priority, delayMs, runAtMs, type } = task;
    // What is ready at once, with priority 0, keeps its place between the plain tasks.
    if (priority === 0 && delayMs === 0) this.#close();
    const key = task.key ?? newTaskKey(this.#nowMs);
    const value = encodeValue({
      body,
      hasOptions,
      priority,
      attempt: 1,
      lostCount: 0,
      enqueuedAtMs: this.#nowMs,
      runAtMs: runAtMs || (delayMs > 0 ? this.#nowMs + delayMs : 0),
      attempts: [],
    });
    this.#items.push("a", key, type, rankOf(priority), delayMs, runAtMs, value);
    this.#itemCount++;
    return { ordinal: this.#aloneCount++, first: 0, count: 1, key };
  }

  #close(): void {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    const value = Buffer.allocUnsafe(HEADER + open.bytes);
    value[0] = open.hasOptions ? 1 : 0;
    value[1] = open.bodies.length;
    value.write(this.nonce, NONCE_AT, "latin1");
    value[EXCESS_AT] = open.excess;
    let at = HEADER;
    for (const body of open.bodies) {
      at = writeVarint(value, at, body.length);
      value.set(body, at);
      at += body.length;
    }
    this.blocks.push(value);
    this.#items.push("b", value, open.bodies.length);
    this.#itemCount++;
  }
}

/** What a call was told that was made before, from the slot in which the script kept it. */
export function readSlot(slot: string): (Enqueued | Ended)[] {
  const [, template = "", nonce = "", ids = "", outcomes = ""] = slot.split("|");
  return readAnswer(nonce, `${ids}|${outcomes}`)(template === "" ? [] : template.split(",").map(readToken));
}

export function isFinal(enqueued: Enqueued | Ended): enqueued is Enqueued {
  return enqueued.state !== undefined;
}

export function isPlain({ key, priority, delayMs, runAtMs }: NewTask): boolean {
  return key === undefined && priority === 0 && delayMs === 0 && runAtMs === 0;
}

function skipBody(block: Buffer, from: number): number {
  let at = from;
  let length = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = block[at++] ?? 0;
    length += (byte & 127) * scale;
    if (byte < 128) return at + length;
  }
}

function tokenText({ ordinal, first, count, key }: Token): string {
  return key === "" ? `${ordinal}:${first}:${count}` : `@${ordinal}:${key}`;
}

function readToken(text: string): Token {
  const [ordinal = "", first = "", count] = text.split(":");
  if (ordinal.startsWith("@")) return { ordinal: Number(ordinal.slice(1)), first: 0, count: 1, key: first };
  return { ordinal: Number(ordinal), first: Number(first), count: Number(count), key: "" };
}

/** @param answer ids of the blocks, then outcomes of the tasks alone */
function readAnswer(nonce: string, answer: string): (tokens: readonly Token[]) => (Enqueued | Ended)[] {
  const [ids = "", outcomeText = ""] = answer.split("|");
  const prefixes = ids.split(",").map((id) => blockKeyOf(id, nonce));
  const outcomes = outcomeText.split(",");
  return (tokens) => {
    const enqueued: (Enqueued | Ended)[] = [];
    for (const { ordinal, first, count, key } of tokens) {
      if (key !== "") {
        enqueued.push(readOutcome(key, outcomes[ordinal] ?? ""));
        continue;
      }
      const prefix = prefixes[ordinal] ?? "";
      for (let index = first, end = first + count; index < end; index++) {
        enqueued.push({ kind: "created", key: prefix + INDEX_TEXT[index], state: "ready", runAtMs: 0 });
      }
    }
    return enqueued;
  };
}

const STATES: Readonly<Record<string, TaskState>> = { s: "scheduled", r: "ready", a: "active", d: "dead" };

function readOutcome(key: string, outcome: string): Enqueued | Ended {
  if (outcome.startsWith("c")) {
    const runAtMs = Number(outcome.slice(1));
    return { kind: "created", key, state: runAtMs > 0 ? "scheduled" : "ready", runAtMs };
  }
  const state = STATES[outcome[1] ?? ""];
  const runAtMs = Number(outcome.slice(2));
  // Two returns, since each is another member of the union.
  return state === undefined ? { kind: "existing", key, state, runAtMs } : { kind: "existing", key, state, runAtMs };
}
