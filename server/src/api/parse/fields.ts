import type { Duration, Timestamp } from "@taskwire/proto";
import { type FieldViolation, TaskwireError } from "../../domain/errors.ts";
import { NAME_PATTERN, TYPE_PATTERN } from "../../domain/ids.ts";
import { LIMITS } from "../../domain/limits.ts";

/** Collects what is wrong with a request, so that the caller learns all of it at once. */
export class Fields {
  readonly #violations: FieldViolation[] = [];

  wrong(field: string, description: string): void {
    // A batch of 1,000 wrong tasks need not be answered with 10,000 sentences: metadata of a response is limited.
    if (this.#violations.length < 100) this.#violations.push({ field, description });
  }

  /** @throws INVALID_ARGUMENT naming all fields, when one was wrong */
  check(): void {
    const [first] = this.#violations;
    if (!first) return;
    const more = this.#violations.length > 1 ? ` (and ${this.#violations.length - 1} more)` : "";
    throw new TaskwireError("INVALID_ARGUMENT", `${first.field}: ${first.description}${more}`, {
      fields: this.#violations,
    });
  }

  /** A queue, worker id or task id. */
  name(field: string, value: string): string {
    if (!NAME_PATTERN.test(value)) this.wrong(field, nameSentence(value, "A-Z a-z 0-9 . _ and -"));
    return value;
  }

  type(field: string, value: string): string {
    if (!TYPE_PATTERN.test(value)) this.wrong(field, nameSentence(value, "A-Z a-z 0-9 . _ - and /"));
    return value;
  }

  /** A duration in ms, rounded up; `fallback` when it is not given. */
  durationMs(
    field: string,
    duration: Duration | undefined,
    { min, max, fallback }: { min: number; max: number; fallback: number },
  ): number {
    if (!duration) return fallback;
    const ms = toMs(duration);
    const wrong = durationSentence(duration, { min, max });
    if (wrong !== undefined) this.wrong(field, `is ${seconds(ms)}; ${wrong}`);
    return ms;
  }

  /** A time as epoch ms. */
  timeMs(field: string, time: Timestamp): number {
    const ms = toMs(time);
    const latest = Date.now() + LIMITS.delayMs;
    if (!hasWholeNanos(time)) this.wrong(field, `has ${time.nanos} nanoseconds; ${NANOS}`);
    else if (!(ms <= latest)) this.wrong(field, "is more than 10 years ahead");
    else if (time.seconds < FIRST_SECOND) this.wrong(field, "is before the year 1");
    return ms;
  }

  whole(field: string, value: number, { min, max }: { min: number; max: number }): number {
    if (!(value >= min && value <= max)) this.wrong(field, `is ${value}; must be from ${min} to ${max}`);
    return value;
  }

  count(field: string, entries: number, max: number): void {
    if (entries > max) this.wrong(field, `has ${entries} entries; at most ${max} are allowed`);
  }

  length(field: string, value: string, max: number): string {
    if (value.length > max) this.wrong(field, `has ${value.length} letters; at most ${max} are allowed`);
    return value;
  }
}

/** Where google.protobuf.Timestamp begins: 0001-01-01T00:00:00Z. */
const FIRST_SECOND = -62_135_596_800;
const NANOS = "nanos must be from 0 to 999999999";

/** Rounded up. */
function toMs({ seconds, nanos }: Duration | Timestamp): number {
  return seconds * 1_000 + Math.ceil(nanos / 1_000_000);
}

/** Of what is not negative: a Timestamp, or a Duration as the broker takes it. */
function hasWholeNanos({ nanos }: Duration | Timestamp): boolean {
  return nanos >= 0 && nanos < 1e9;
}

/** What a duration must be; undefined when it is. */
export function durationSentence(
  duration: Duration,
  { min, max }: { readonly min: number; readonly max: number },
): string | undefined {
  const ms = toMs(duration);
  // Also true for NaN.
  if (!(ms >= min && ms <= max)) return `must be from ${seconds(min)} to ${seconds(max)}`;
  return hasWholeNanos(duration) ? undefined : NANOS;
}

function nameSentence(value: string, allowed: string): string {
  if (value === "") return `is empty; must be 1 to ${LIMITS.nameLength} of ${allowed}`;
  if (value.length > LIMITS.nameLength) return `has ${value.length} letters; at most ${LIMITS.nameLength} are allowed`;
  return `is ${JSON.stringify(value)}; must be 1 to ${LIMITS.nameLength} of ${allowed}`;
}

function seconds(ms: number): string {
  return `${ms / 1_000} s`;
}
