/**
 * What was completed or cancelled, the last to end first: the index of results, read backwards. A position is the stamp of a
 * record of the index, how manieth its result record is from the end, and how manieth the result in that; also from the end,
 * since the oldest are dropped at the head.
 */
import { BLOCK_KEY_LENGTH, INDEX_TEXT } from "../../domain/ids.ts";
import { eachResult } from "../records.ts";
import type { Candidate } from "./candidate.ts";
import { diskKey, nameOf } from "./disk.ts";
import type { EmbeddedParts } from "./parts.ts";
import type { Queue } from "./queue.ts";
import { decodeResultNames } from "./result-names.ts";
import { resultSnapshot } from "./result-snapshot.ts";
import { BLOCK_RESULT_LENGTH } from "./results.ts";

interface From {
  readonly stamp: string;
  readonly record: number;
  readonly result: number;
}

export function* listEnded(
  parts: EmbeddedParts,
  queue: Queue,
  state: "completed" | "cancelled",
  after: string | undefined,
): Generator<Candidate> {
  const from = after === undefined ? undefined : parse(after);
  for (const { key, content } of parts.database.entriesDown(diskKey("i", queue.id, ""), from?.stamp)) {
    const stamp = nameOf(key);
    const names = decodeResultNames(content).reverse();
    const isSame = from?.stamp === stamp;
    for (let record = isSame ? from.record : 0; record < names.length; record++) {
      const one = names[record];
      if (!one) continue;
      const { name } = one;
      if (state === "completed" ? !one.hasCompleted : !one.hasCancelled) {
        yield { position: `${stamp} ${record} ${NONE_LEFT}`, read: undefined };
        continue;
      }
      const first = isSame && from.record === record ? from.result + 1 : 0;
      yield* resultsOf(parts, queue, { name, state, first, position: `${stamp} ${record}` });
    }
  }
}

/** The results of one record, the last first, without the `first` last. */
function* resultsOf(
  { database }: EmbeddedParts,
  queue: Queue,
  { name, state, first, position }: { name: string; state: "completed" | "cancelled"; first: number; position: string },
): Generator<Candidate> {
  const records = database.get(diskKey("r", queue.id, name));
  if (!records) return;
  const isBlock = name.length === BLOCK_RESULT_LENGTH && !name.startsWith("=");
  const results = [...eachResult(records)].reverse();
  for (let i = first; i < results.length; i++) {
    const found = results[i];
    if (!found) continue;
    const key = isBlock ? name.slice(0, BLOCK_KEY_LENGTH) + INDEX_TEXT[found.index] : name;
    const isWanted = found.success === (state === "completed");
    yield {
      position: `${position} ${i}`,
      read: () => (isWanted ? resultSnapshot(queue, key, found.read()) : undefined),
    };
  }
}

/** More than the results of any record. */
const NONE_LEFT = 999;

function parse(position: string): From {
  const [stamp = "", record, result] = position.split(" ");
  return { stamp, record: Number(record), result: Number(result) };
}
