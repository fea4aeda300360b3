/**
 * The stored form of a task: the protobuf encoding of `taskwire.v1.Task` without id, enqueue time and, often, queue. The
 * bytes of most requests are stored as they came, so this reads single fields out of them instead of decoding the whole.
 */
import { VarintReader } from "../lib/varint.ts";
import { DEFAULT_OPTIONS, DEFAULT_RETRY, type RetryPolicy, type TaskOptions } from "./options.ts";

/** Numbers of the fields that the broker itself reads; a test holds them against the contract. */
export const TASK_FIELD = {
  type: 2,
  queue: 3,
  payload: 4,
  contentType: 5,
  maxRetries: 8,
  retry: 9,
  timeout: 10,
} as const;

/** A field of a message: its number, and either a number or the bounds of its bytes. */
export interface Field {
  readonly number: number;
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Calls `visit` for each field from `start` to `end`. Returns false when the bytes are not a message.
 * The Field object is reused between calls.
 */
export function eachField(bytes: Uint8Array, start: number, end: number, visit: (field: Field) => void): boolean {
  const reader = new VarintReader(bytes, start);
  const field = { number: 0, value: 0, start: 0, end: 0 };
  while (reader.at < end) {
    const tag = reader.next();
    field.number = Math.floor(tag / 8);
    field.value = 0;
    field.start = reader.at;
    switch (tag % 8) {
      case 0:
        field.value = reader.next();
        break;
      case 1:
        reader.at += 8;
        break;
      case 2: {
        const length = reader.next();
        field.start = reader.at;
        reader.at += length;
        break;
      }
      case 5:
        reader.at += 4;
        break;
      default:
        return false;
    }
    field.end = reader.at;
    // Also false for NaN, which a broken varint gives.
    if (!(reader.at <= end) || field.number < 1) return false;
    visit(field);
  }
  return reader.at === end;
}

/** The type of a stored task; "" when the bytes do not tell one. */
export function readType(body: Uint8Array): string {
  let type = "";
  eachField(body, 0, body.length, ({ number, start, end }) => {
    if (number === TASK_FIELD.type) type = Buffer.from(body.buffer, body.byteOffset + start, end - start).toString();
  });
  return type;
}

/** The options of a stored task, with the defaults filled in. */
export function readOptions(body: Buffer): TaskOptions {
  let { maxRetries, retry, timeoutMs } = DEFAULT_OPTIONS;
  eachField(body, 0, body.length, ({ number, value, start, end }) => {
    if (number === TASK_FIELD.maxRetries) maxRetries = value;
    if (number === TASK_FIELD.timeout) timeoutMs = readDurationMs(body, start, end);
    if (number === TASK_FIELD.retry) retry = readRetry(body, start, end);
  });
  return { maxRetries, retry, timeoutMs };
}

/** A google.protobuf.Duration that was checked when it was accepted: not negative. */
function readDurationMs(bytes: Uint8Array, start: number, end: number): number {
  let ms = 0;
  eachField(bytes, start, end, ({ number, value }) => {
    ms += number === 1 ? value * 1_000 : Math.ceil(value / 1_000_000);
  });
  return ms;
}

const BACKOFFS = ["quadratic", "quadratic", "exponential", "linear", "fixed"] as const;

function readRetry(bytes: Buffer, from: number, to: number): RetryPolicy {
  let { backoff, baseMs, jitter } = DEFAULT_RETRY;
  let maxMs: number | undefined;
  const delaysMs: number[] = [];
  eachField(bytes, from, to, ({ number, value, start, end }) => {
    if (number === 1) backoff = BACKOFFS[value] ?? "quadratic";
    if (number === 2) baseMs = readDurationMs(bytes, start, end);
    if (number === 3) maxMs = readDurationMs(bytes, start, end);
    if (number === 4) jitter = bytes.readDoubleLE(start);
    if (number === 5) delaysMs.push(readDurationMs(bytes, start, end));
  });
  // The default bounds what a formula comes to. A list says itself how long to wait.
  maxMs ??= delaysMs.length > 0 ? Number.POSITIVE_INFINITY : DEFAULT_RETRY.maxMs;
  return { backoff, baseMs, maxMs, jitter, delaysMs };
}
