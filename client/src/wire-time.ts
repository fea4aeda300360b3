/** Between times as callers know them and those of protobuf. */
import { inspect } from "node:util";
import type { Duration, Timestamp } from "@taskwire/proto";

/** Throws a TypeError that names what is not a number of milliseconds. */
export function toDuration(name: string, ms: number): Duration {
  if (!(Math.abs(ms) <= Number.MAX_SAFE_INTEGER))
    throw new TypeError(`${name} is ${inspect(ms)}: it must be a number of milliseconds`);
  return secondsAndNanos(ms);
}

/** Throws a TypeError that names what is not a valid Date. */
export function toTimestamp(name: string, time: Date): Timestamp {
  const ms = time instanceof Date ? time.getTime() : Number.NaN;
  if (Number.isNaN(ms)) throw new TypeError(`${name} is ${inspect(time)}: it must be a valid Date`);
  // The broker refuses negative nanoseconds, and all times in the past mean the same.
  return secondsAndNanos(Math.max(0, ms));
}

export function toDate(time: Timestamp | undefined): Date | undefined {
  return time && new Date(time.seconds * 1_000 + Math.trunc(time.nanos / 1e6));
}

/** 0 when there is none. */
export function toMs(duration: Duration | undefined): number {
  return duration ? duration.seconds * 1_000 + duration.nanos / 1e6 : 0;
}

/** Both of one sign, as a Duration wants it. */
function secondsAndNanos(ms: number): { seconds: number; nanos: number } {
  const seconds = Math.trunc(ms / 1_000);
  return { seconds, nanos: Math.trunc((ms - seconds * 1_000) * 1e6) };
}
