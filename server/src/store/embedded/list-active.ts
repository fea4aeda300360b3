/**
 * What is leased, the last enqueued first. There is no order to keep for it, which claims would pay for: the windows of the
 * workers bound how much there is, and the blocks of which tasks were claimed stand nearly in order.
 */
import { base32, INDEX_TEXT } from "../../domain/ids.ts";
import type { ListQuery } from "../store.ts";
import type { AloneTask } from "./alone-task.ts";
import type { Block } from "./block.ts";
import { BlockBodies } from "./block-bodies.ts";
import type { Candidate } from "./candidate.ts";
import { aloneSnapshot, snapshotInBlock, stateIn } from "./find.ts";
import { hasLeft } from "./mark.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";

interface Active {
  /** Orders by time of enqueue; the position. */
  readonly name: string;
  readonly of: AloneTask | { readonly block: Block; readonly index: number };
}

/** How many are put in order at once. */
const PORTION = 1_000;

export function* listActive(
  { database }: EmbeddedParts,
  queue: Queue,
  { after }: Pick<ListQuery, "after">,
): Generator<Candidate> {
  const bodies = new BlockBodies(database, queue);
  let before = after;
  let portion: readonly Active[];
  do {
    portion = lastBefore(queue, before);
    for (const { name, of } of portion) {
      before = name;
      const read = () => {
        if (!("block" in of)) return aloneSnapshot(database, queue, of);
        const { block, index } = of;
        const body = bodies.read(block.name, index);
        return snapshotInBlock(queue, { key: block.key + INDEX_TEXT[index], state: "active", name: block.name, body });
      };
      yield { position: name, read };
    }
  } while (portion.length === PORTION);
}

/** The last of those that come before a name, the last first. */
function lastBefore(queue: Queue, before: string | undefined): readonly Active[] {
  const latest = new Latest(before);
  const blocks = [...queue.blocks.values()];
  for (let i = blocks.length - 1; i >= 0; i--) {
    const block = blocks[i];
    // All names of a block begin with its key.
    if (!block || !latest.mayTake(`${block.key}~`)) continue;
    for (let index = block.marks.length - 1; index >= 0; index--) {
      if (hasLeft(block.marks[index] ?? 0) || stateIn(block, index) !== "active") continue;
      latest.offer({ name: block.key + INDEX_TEXT[index], of: { block, index } });
    }
  }
  // One that a call of this turn has taken from its lease is still among them: its record may be gone.
  for (const task of queue.activeAlone) if (task.state === "active") latest.offer({ name: nameOf(task), of: task });
  return latest.inOrder();
}

/** Caller's keys do not begin with a time. */
function nameOf({ key, enqueuedAtMs }: AloneTask): string {
  return key.startsWith("=") ? base32(enqueuedAtMs, 10) + key : key;
}

/** Keeps the latest of what it is offered. */
class Latest {
  readonly #before: string | undefined;
  #kept: Active[] = [];
  /** What is not later than this is not among them. */
  #least = "";

  constructor(before: string | undefined) {
    this.#before = before;
  }

  mayTake(name: string): boolean {
    return name > this.#least;
  }

  offer(active: Active): void {
    if (active.name <= this.#least || (this.#before !== undefined && active.name >= this.#before)) return;
    this.#kept.push(active);
    if (this.#kept.length === 2 * PORTION) this.#cut();
  }

  #cut(): void {
    this.#kept.sort((a, b) => (a.name < b.name ? 1 : -1));
    this.#kept.length = Math.min(this.#kept.length, PORTION);
    this.#least = this.#kept.length === PORTION ? (this.#kept.at(-1)?.name ?? "") : "";
  }

  inOrder(): readonly Active[] {
    this.#cut();
    return this.#kept;
  }
}
