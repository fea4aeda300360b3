/** How many tasks are ahead of a ready one. */
import { countHere } from "./block.ts";
import type { Database } from "./database.ts";
import { placeOf } from "./find.ts";
import { parseKey } from "./key.ts";
import type { LineHead } from "./line.ts";
import type { Queue } from "./queue.ts";

/** Places that are looked at: a block is one of them. */
const LOOKED_AT = 5_000;

/** Undefined when it is not ready, or stands too far behind. */
export function placeInLine(database: Database, queue: Queue, key: string): number | undefined {
  const alone = queue.alone.get(key);
  const state = alone ? alone.state : placeOf(database, queue, key)?.state;
  if (state !== "ready") return undefined;
  const place = alone ? undefined : parseKey(key);
  let ahead = 0;
  let looked = 0;
  for (const head of heads(queue)) {
    if (++looked > LOOKED_AT) return undefined;
    if (head.kind === "alone") {
      if (head.task === alone) return ahead;
      if (head.task.state === "ready") ahead++;
      continue;
    }
    const name = head.kind === "run" ? head.block.name : head.name;
    const isThere = place?.block === name.key && place.index >= head.first && place.index < head.end;
    ahead += countReady(queue, head, isThere ? place.index : head.end);
    if (isThere) return ahead;
  }
  return undefined;
}

/** The line from its head. */
function* heads(queue: Queue): Generator<LineHead> {
  const { high, returned, line, low } = queue.ready;
  for (const task of high.up()) yield { kind: "alone", task };
  for (let n = 0; n < returned.size; n++) {
    const back = returned.at(n);
    if (back) yield back.head;
  }
  yield* line.up();
  for (const task of low.up()) yield { kind: "alone", task };
}

function countReady(queue: Queue, head: Exclude<LineHead, { kind: "alone" }>, end: number): number {
  const block = head.kind === "run" ? head.block : queue.blocks.get(head.name.key);
  return block ? countHere(block, head.first, end) : end - head.first;
}
