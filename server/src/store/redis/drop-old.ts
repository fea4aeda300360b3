/** Drops what is past its time, or more than is kept: results by the bucket, dead tasks some at a time. */
import type { Lane } from "./lane.ts";
import { resultSettings } from "./result-settings.ts";
import { SCRIPTS } from "./scripts.ts";

/** Dead tasks in one script call, so that nothing else waits for long. */
const PORTION = 200;

export async function dropOld(lane: Lane): Promise<void> {
  const { options } = lane.context;
  const { ttlMs, max } = resultSettings(options);
  await lane.run(SCRIPTS.dropResults, [lane.context.nowMs(), ttlMs, max]);
  const before = lane.context.nowMs() - options.deadTtlMs;
  while (Number(await lane.run(SCRIPTS.dropDead, [before, options.maxDeadPerQueue, PORTION])) === PORTION) {
    // There are more.
  }
}
