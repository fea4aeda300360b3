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
    const ms = duration.seconds * 1_000 + Math.ceil(duration.nanos / 1_000_000);
    // Also true for NaN.
    if (!(ms >= min && ms <= max))
      this.wrong(field, `is ${seconds(ms)}; must be from ${seconds(min)} to ${seconds(max)}`);
    return ms;
  }

  /** A time as epoch ms. */
  timeMs(field: string, time: Timestamp): number {
    const ms = time.seconds * 1_000 + Math.ceil(time.nanos / 1_000_000);
    const latest = Date.now() + LIMITS.delayMs;
    if (!(time.nanos >= 0 && time.nanos < 1e9))
      this.wrong(field, `has ${time.nanos} nanoseconds; must be from 0 to 999999999`);
    else if (!(ms <= latest)) this.wrong(field, "is more than 10 years ahead");
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

function nameSentence(value: string, allowed: string): string {
  if (value === "") return `is empty; must be 1 to ${LIMITS.nameLength} of ${allowed}`;
  if (value.length > LIMITS.nameLength) return `has ${value.length} letters; at most ${LIMITS.nameLength} are allowed`;
  return `is ${JSON.stringify(value)}; must be 1 to ${LIMITS.nameLength} of ${allowed}`;
}

function seconds(ms: number): string {
  return `${ms / 1_000} s`;
}
