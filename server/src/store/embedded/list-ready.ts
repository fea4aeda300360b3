/**
 * The line from its end: low priorities, the line itself, what came back to its front, high priorities. A position begins with
 * the letter of that part.
 *
 *     p priority place stamp broker     a task with a priority
 *     l stamp after index               a place of the line (see line.ts), and an index in its block
 *     b number index stamp broker       a place of what came back, counted through
 *
 * What came back is not on disk, so for another broker it stands in the line again, by its stamp.
 */
import { INDEX_TEXT } from "../../domain/ids.ts";
import type { SortedList } from "../../lib/sorted-list.ts";
import { type AloneTask, byPriority, type Rank } from "./alone-task.ts";
import { BlockBodies } from "./block-bodies.ts";
import type { Candidate } from "./candidate.ts";
import { aloneSnapshot, snapshotInBlock } from "./find.ts";
import type { LineHead, LineRank } from "./line.ts";
import { hasLeft } from "./mark.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";
import { STAMP_LENGTH } from "./stamps.ts";

/** Where to go on in one part. */
type From =
  | { readonly part: "low" | "high"; readonly rank: Rank | undefined }
  | { readonly part: "line"; readonly rank: LineRank | undefined; readonly index: number }
  | { readonly part: "back"; readonly number: number; readonly index: number };

const PARTS = ["low", "line", "back", "high"] as const;

export function* listReady(parts: EmbeddedParts, queue: Queue, after: string | undefined): Generator<Candidate> {
  const from = after === undefined ? START : parse(after, parts.brokerId);
  if (!from) return;
  const list = new ReadyList(parts, queue);
  for (const part of PARTS.slice(PARTS.indexOf(from.part)))
    yield* list.part(part, from.part === part ? from : undefined);
}

const START: From = { part: "low", rank: undefined };

class ReadyList {
  readonly #parts: EmbeddedParts;
  readonly #queue: Queue;
  readonly #bodies: BlockBodies;

  constructor(parts: EmbeddedParts, queue: Queue) {
    this.#parts = parts;
    this.#queue = queue;
    this.#bodies = new BlockBodies(parts.database, queue);
  }

  part(part: From["part"], from: From | undefined): Generator<Candidate> {
    const { ready } = this.#queue;
    if (part === "line") return this.#line(from?.part === "line" ? from : undefined);
    if (part === "back") return this.#back(from?.part === "back" ? from : undefined);
    const rank = from?.part === "low" || from?.part === "high" ? from.rank : undefined;
    return this.#prioritised(part === "low" ? ready.low : ready.high, rank);
  }

  *#prioritised(tasks: SortedList<AloneTask>, rank: Rank | undefined): Generator<Candidate> {
    for (const task of tasks.down((one) => rank === undefined || byPriority(one, rank) < 0)) {
      const { priority, place, stamp } = task;
      yield this.#alone(task, `p ${priority} ${place} ${stamp} ${this.#parts.brokerId}`);
    }
  }

  *#line(from: (From & { part: "line" }) | undefined): Generator<Candidate> {
    for (const { stamp, after, head } of this.#queue.ready.line.down(from?.rank)) {
      const isSame = from?.rank?.stamp === stamp && from.rank.after === after;
      yield* this.#place(
        head,
        isSame ? from.index : Number.POSITIVE_INFINITY,
        (index) => `l ${stamp} ${after} ${index}`,
      );
    }
  }

  *#back(from: (From & { part: "back" }) | undefined): Generator<Candidate> {
    const { returned, returnedBefore } = this.#queue.ready;
    const { brokerId } = this.#parts;
    const last = returnedBefore + returned.size - 1;
    for (let number = Math.min(last, from?.number ?? last); number >= returnedBefore; number--) {
      const head = returned.at(number - returnedBefore)?.head;
      if (!head) continue;
      const stamp = stampOf(head);
      const before = from?.number === number ? from.index : Number.POSITIVE_INFINITY;
      yield* this.#place(head, before, (index) => `b ${number} ${index} ${stamp} ${brokerId}`);
    }
  }

  /** The tasks of one place whose index is lower than `before`. */
  *#place(head: LineHead, before: number, positionOf: (index: number) => string): Generator<Candidate> {
    if (head.kind === "alone") {
      if (before > 0) yield this.#alone(head.task, positionOf(0));
      return;
    }
    const { name, first, end } = head.kind === "run" ? { ...head, name: head.block.name } : head;
    const marks = (head.kind === "run" ? head.block : this.#queue.blocks.get(name.key))?.marks;
    let isEmpty = true;
    for (let index = Math.min(end, before) - 1; index >= first; index--) {
      if (hasLeft(marks?.[index] ?? 0)) continue;
      isEmpty = false;
      const key = name.key + INDEX_TEXT[index];
      const read = () =>
        snapshotInBlock(this.#queue, { key, state: "ready", name, body: this.#bodies.read(name, index) });
      yield { position: positionOf(index), read };
    }
    if (isEmpty) yield { position: positionOf(first), read: undefined };
  }

  /** A task that ended in the line is left there. */
  #alone(task: AloneTask, position: string): Candidate {
    const read = () => aloneSnapshot(this.#parts.database, this.#queue, task);
    return { position, read: task.state === "ready" ? read : undefined };
  }
}

function stampOf(head: LineHead): string {
  if (head.kind === "alone") return head.task.stamp;
  return (head.kind === "run" ? head.block.name : head.name).key.slice(0, STAMP_LENGTH);
}

function parse(position: string, brokerId: string): From | undefined {
  const [letter, ...fields] = position.split(" ");
  if (letter === "p" && fields.length === 4) {
    const [priority, place, stamp = "", broker] = fields;
    // What came back is in its place again for another broker.
    const kept = broker === brokerId ? Number(place) : Math.max(0, Number(place));
    const rank = { priority: Number(priority), place: kept, stamp };
    return { part: rank.priority > 0 ? "high" : "low", rank };
  }
  if (letter === "l" && fields.length === 3) {
    const [stamp = "", after, index] = fields;
    return { part: "line", rank: { stamp, after: Number(after) }, index: Number(index) };
  }
  if (letter === "b" && fields.length === 4) {
    const [number, index, stamp = "", broker] = fields;
    if (broker === brokerId) return { part: "back", number: Number(number), index: Number(index) };
    return { part: "line", rank: { stamp, after: 0 }, index: Number(index) };
  }
  return undefined;
}
