/** How a queue is steered, as it stands in its hash of counts: `paused`, and `rate`, "<tasks a second>:<burst>". */
import type { EnqueueRate, QueuePolicy } from "../store.ts";
import type { Lane } from "./lane.ts";
import { readRate } from "./rate.ts";
import { SCRIPTS } from "./scripts.ts";

export async function steer(lane: Lane, change: Partial<QueuePolicy>): Promise<QueuePolicy> {
  const paused = change.paused === undefined ? "" : change.paused ? 1 : 0;
  const rate = "enqueueRate" in change ? rateText(change.enqueueRate) : "";
  const reply = await lane.run(SCRIPTS.steer, [...lane.wakeArgs(), paused, rate]);
  // The form that steer.lua says.
  const [isPaused, text, hasEnded] = reply as readonly [number, Buffer, number];
  if (hasEnded === 1) lane.context.events.ready(lane.queue);
  const policy = { paused: isPaused === 1, enqueueRate: readRate(String(text)) };
  lane.isLimited = policy.enqueueRate !== undefined;
  return policy;
}

/** Numbers are written so that they read back as they were. */
function rateText(rate: EnqueueRate | undefined): string {
  return rate ? `${rate.perSecond}:${rate.burst}` : "-";
}
