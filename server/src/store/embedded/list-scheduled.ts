/** What is scheduled, the last to be due first. A position is the due time, the stamp and the index in the block. */
import { INDEX_TEXT } from "../../domain/ids.ts";
import { BlockBodies } from "./block-bodies.ts";
import type { Candidate } from "./candidate.ts";
import { aloneSnapshot, snapshotInBlock } from "./find.ts";
import { hasLeft } from "./mark.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";
import { stampOf } from "./schedule.ts";

export function* listScheduled(
  { database }: EmbeddedParts,
  queue: Queue,
  after: string | undefined,
): Generator<Candidate> {
  const from = after === undefined ? undefined : parse(after);
  const bodies = new BlockBodies(database, queue);
  for (const item of queue.schedule.down(from)) {
    const stamp = stampOf(item);
    const runAtMs = "block" in item ? item.block.name.runAtMs : item.runAtMs;
    const isSame = from?.stamp === stamp && from.runAtMs === runAtMs;
    const before = isSame ? from.index : Number.POSITIVE_INFINITY;
    if (!("block" in item)) {
      if (before === 0) continue;
      const read = () => aloneSnapshot(database, queue, item);
      yield { position: `${runAtMs} ${stamp} 0`, read: item.state === "scheduled" ? read : undefined };
      continue;
    }
    const { name, marks } = item.block;
    for (let index = Math.min(item.end, before) - 1; index >= item.first; index--) {
      const key = name.key + INDEX_TEXT[index];
      const read = () => snapshotInBlock(queue, { key, state: "scheduled", name, body: bodies.read(name, index) });
      yield { position: `${runAtMs} ${stamp} ${index}`, read: hasLeft(marks[index] ?? 0) ? undefined : read };
    }
  }
}

function parse(position: string) {
  const [runAtMs, stamp = "", index] = position.split(" ");
  return { runAtMs: Number(runAtMs), stamp, index: Number(index) };
}
