import type { Duration, Timestamp } from "@taskwire/proto";

/** The longest time that a task may be given or put off: more is a mistake in the caller's units. */
const MAX_MS = 10 * 365 * 24 * 60 * 60 * 1_000;

/** Milliseconds as the contract writes them. */
export function toDuration(ms: number): Duration {
  const seconds = Math.floor(ms / 1_000);
  return { seconds, nanos: Math.round((ms - seconds * 1_000) * 1e6) };
}

export function fromDuration({ seconds, nanos }: Duration): number {
  return seconds * 1_000 + nanos / 1e6;
}

export function fromTimestamp({ seconds, nanos }: Timestamp): Date {
  return new Date(seconds * 1_000 + nanos / 1e6);
}

/** Checks a length of time; throws a RangeError that names it. */
export function checkMs(
  name: string,
  ms: number,
  { min = 0, max = MAX_MS }: { min?: number; max?: number } = {},
): number {
  if (typeof ms === "number" && ms >= min && ms <= max) return ms;
  throw new RangeError(`${name} must be from ${min} to ${max} ms, not ${String(ms)}`);
}
