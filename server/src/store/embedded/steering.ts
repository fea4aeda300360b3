/** How a queue is steered, and its record. */
import { isDeepStrictEqual } from "node:util";
import { pack, unpack } from "msgpackr";
import type { QueuePolicy } from "../store.ts";
import { type RateUse, UNUSED } from "./rate.ts";

export interface Steering {
  readonly policy: QueuePolicy;
  readonly use: RateUse;
}

export const NOT_STEERED: Steering = { policy: { paused: false, enqueueRate: undefined }, use: UNUSED };

/** The steering after a change; the same object when it changes nothing. A limit that is new begins with its whole burst. */
export function changeSteering(steering: Steering, change: Partial<QueuePolicy>): Steering {
  const policy = { ...steering.policy, ...change };
  if (isDeepStrictEqual(policy, steering.policy)) return steering;
  const keepsRate = isDeepStrictEqual(policy.enqueueRate, steering.policy.enqueueRate);
  return { policy, use: keepsRate ? steering.use : UNUSED };
}

type Fields = [paused: boolean, perSecond: number, burst: number, used: number, atMs: number];

export function encodeSteering({ policy: { paused, enqueueRate }, use }: Steering): Buffer {
  // A rate of 0 is none: none is allowed to be so low.
  const { perSecond = 0, burst = 0 } = enqueueRate ?? {};
  return pack([paused, perSecond, burst, use.used, use.atMs] satisfies Fields);
}

export function decodeSteering(bytes: Uint8Array): Steering {
  // Only encodeSteering writes these.
  const [paused, perSecond, burst, used, atMs] = unpack(bytes) as Fields;
  return { policy: { paused, enqueueRate: perSecond > 0 ? { perSecond, burst } : undefined }, use: { used, atMs } };
}
