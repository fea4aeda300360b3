/**
 * From EnqueueRequest to a task to store.
 *
 * Most requests have nothing but type, queue, payload and content type. Their bytes are stored as they came: they are also
 * a valid Task (see task.proto), and checking them costs a look at four fields. All others are decoded, checked in full and
 * encoded anew.
 */
import { type Duration, EnqueueRequest, type RetryPolicy, RetryPolicy_Backoff, Task } from "@taskwire/proto";
import { callerKey, NAME_PATTERN, parseTaskId, TYPE_PATTERN } from "../../domain/ids.ts";
import { LIMITS } from "../../domain/limits.ts";
import { eachField, TASK_FIELD } from "../../domain/task-body.ts";
import type { NewTask } from "../../store/store.ts";
import { decodeAs } from "./decode.ts";
import type { Fields } from "./fields.ts";

export interface ParsedTask {
  readonly queue: string;
  readonly task: NewTask;
}

/** Types that were checked before: the same few come again and again. */
const queuesByType = new Map<string, string>();

/** The queue of a type when none is named; undefined when the type is not valid. */
function defaultQueue(type: string): string | undefined {
  const known = queuesByType.get(type);
  if (known !== undefined) return known;
  if (!TYPE_PATTERN.test(type)) return undefined;
  const queue = type.replaceAll("/", ".");
  if (queuesByType.size >= 10_000) queuesByType.clear();
  queuesByType.set(type, queue);
  return queue;
}

/** Where an encoded request lies in a frame, and how its fields are named in errors. */
export interface Encoded {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Its place in a batch; undefined when it came alone. */
  readonly index: number | undefined;
}

/** Parses one encoded request; what is wrong with it goes to `fields`, and then the result is undefined. */
export function parseEncoded(encoded: Encoded, maxPayloadBytes: number, fields: Fields): ParsedTask | undefined {
  return parsePlain(encoded, maxPayloadBytes) ?? parseAny(encoded, maxPayloadBytes, fields);
}

function parsePlain({ bytes, start, end }: Encoded, maxPayloadBytes: number): ParsedTask | undefined {
  let type = "";
  let queue = "";
  let isPlain = true;
  const isMessage = eachField(bytes, start, end, (field) => {
    switch (field.number) {
      case TASK_FIELD.type:
        type = bytes.toString("latin1", field.start, field.end);
        break;
      case TASK_FIELD.queue:
        queue = bytes.toString("latin1", field.start, field.end);
        break;
      case TASK_FIELD.payload:
        if (field.end - field.start > maxPayloadBytes) isPlain = false;
        break;
      case TASK_FIELD.contentType:
        if (field.end - field.start > LIMITS.contentTypeLength || !isPrintable(bytes, field)) isPlain = false;
        break;
      default:
        isPlain = false;
    }
  });
  if (!isMessage || !isPlain) return undefined;
  const lineOfType = defaultQueue(type);
  if (lineOfType === undefined || (queue !== "" && !NAME_PATTERN.test(queue))) return undefined;
  const body = bytes.subarray(start, end);
  return {
    queue: queue || lineOfType,
    task: { body, type, key: undefined, priority: 0, delayMs: 0, runAtMs: 0, hasOptions: false },
  };
}

/** A loop: a call into Node would cost more than these few letters. */
function isPrintable(bytes: Uint8Array, { start, end }: { readonly start: number; readonly end: number }): boolean {
  for (let at = start; at < end; at++) {
    const letter = bytes[at] ?? 0;
    if (letter < 32 || letter > 126) return false;
  }
  return true;
}

function parseAny(encoded: Encoded, maxPayloadBytes: number, fields: Fields): ParsedTask | undefined {
  const request = decodeRequest(encoded, fields);
  const path = encoded.index === undefined ? "" : `tasks[${encoded.index}].`;
  return request && parseEnqueue(request, { path, maxPayloadBytes, fields });
}

/** @throws INVALID_ARGUMENT when the call has no other request that might be wrong, too */
function decodeRequest({ bytes, start, end, index }: Encoded, fields: Fields): EnqueueRequest | undefined {
  const decode = () => EnqueueRequest.decode(bytes.subarray(start, end));
  if (index === undefined) return decodeAs("request", "EnqueueRequest", decode);
  try {
    return decode();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    fields.wrong(`tasks[${index}]`, `is not an encoded EnqueueRequest: ${reason}`);
    return undefined;
  }
}

export interface EnqueueContext {
  readonly path: string;
  readonly maxPayloadBytes: number;
  readonly fields: Fields;
}

/** Checks a decoded request in full. */
function parseEnqueue(request: EnqueueRequest, context: EnqueueContext): ParsedTask {
  const { path, fields } = context;
  const type = fields.type(`${path}type`, request.type);
  const queue = request.queue === "" ? (defaultQueue(type) ?? "") : fields.name(`${path}queue`, request.queue);
  const { payload, contentType } = parseBody(request, context);
  const schedule = parseSchedule(request, context);
  const options = parseOptions(request, context);
  const body = Task.encode({
    id: "",
    type,
    queue: "",
    payload,
    contentType,
    headers: parseHeaders(request.headers, context),
    priority: fields.whole(`${path}priority`, request.priority, { min: -LIMITS.priority, max: LIMITS.priority }),
    ...options,
    enqueueTime: undefined,
  }).finish();
  const hasOptions = options.maxRetries !== undefined || options.retry !== undefined || options.timeout !== undefined;
  const key = parseTaskKey(request.taskId, context);
  return { queue, task: { body, type, key, priority: request.priority, ...schedule, hasOptions } };
}

function parseTaskKey(id: string, { path, fields }: EnqueueContext): string | undefined {
  if (id === "") return undefined;
  fields.name(`${path}task_id`, id);
  if (parseTaskId(id))
    fields.wrong(
      `${path}task_id`,
      `is ${JSON.stringify(id)}, which has the form of an id made by the broker; choose another form`,
    );
  return callerKey(id);
}

function parseBody({ body, contentType }: EnqueueRequest, { path, fields, maxPayloadBytes }: EnqueueContext) {
  fields.length(`${path}content_type`, contentType, LIMITS.contentTypeLength);
  if (!/^[ -~]*$/.test(contentType)) fields.wrong(`${path}content_type`, "has letters that are not printable ASCII");
  const isJson = body?.$case === "json";
  if (isJson && !hasFiniteNumbers(body.value))
    fields.wrong(`${path}json`, "has a number that JSON cannot express: NaN or infinite");
  const payload = isJson ? Buffer.from(JSON.stringify(body.value)) : (body?.value ?? new Uint8Array());
  if (payload.length > maxPayloadBytes) {
    const sentence = `has ${payload.length} bytes; at most ${maxPayloadBytes} are allowed (TASKWIRE_MAX_PAYLOAD_BYTES)`;
    fields.wrong(`${path}${isJson ? "json" : "payload"}`, sentence);
  }
  return { payload, contentType: contentType || (isJson ? "application/json" : "") };
}

/** Whether all numbers in a JSON value are finite. */
function hasFiniteNumbers(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "object" && value !== null) return Object.values(value).every(hasFiniteNumbers);
  return true;
}

function parseHeaders(headers: Record<string, string>, { path, fields }: EnqueueContext): Record<string, string> {
  const entries = Object.entries(headers);
  fields.count(`${path}headers`, entries.length, LIMITS.headerEntries);
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  // What the decoder puts in the place of bytes that it cannot read.
  if (entries.some((entry) => entry.some((text) => text.includes("\ufffd"))))
    fields.wrong(`${path}headers`, "have text that is not UTF-8");
  if (bytes > LIMITS.headerBytes)
    fields.wrong(`${path}headers`, `have ${bytes} bytes; at most ${LIMITS.headerBytes} are allowed`);
  return headers;
}

function parseSchedule(
  { schedule }: EnqueueRequest,
  { path, fields }: EnqueueContext,
): { delayMs: number; runAtMs: number } {
  switch (schedule?.$case) {
    case undefined:
      return { delayMs: 0, runAtMs: 0 };
    case "delay":
      return {
        delayMs: fields.durationMs(`${path}delay`, schedule.value, { min: 0, max: LIMITS.delayMs, fallback: 0 }),
        runAtMs: 0,
      };
    case "runTime":
      return { delayMs: 0, runAtMs: Math.max(0, fields.timeMs(`${path}run_time`, schedule.value)) };
  }
}

function parseOptions({ maxRetries, retry, timeout }: EnqueueRequest, context: EnqueueContext) {
  const { path, fields } = context;
  if (maxRetries !== undefined) fields.whole(`${path}max_retries`, maxRetries, { min: 0, max: LIMITS.maxRetries });
  fields.durationMs(`${path}timeout`, timeout, { min: 1, max: LIMITS.timeoutMs, fallback: 0 });
  if (retry) checkRetry(retry, context);
  return { maxRetries, retry, timeout };
}

/** Those of the contract; a decoder lets any number through. */
const BACKOFFS: Readonly<Record<number, true>> = {
  [RetryPolicy_Backoff.UNSPECIFIED]: true,
  [RetryPolicy_Backoff.QUADRATIC]: true,
  [RetryPolicy_Backoff.EXPONENTIAL]: true,
  [RetryPolicy_Backoff.LINEAR]: true,
  [RetryPolicy_Backoff.FIXED]: true,
};

function checkRetry({ backoff, base, max, jitter, delays }: RetryPolicy, { path, fields }: EnqueueContext): void {
  const check = (field: string, duration: Duration | undefined) =>
    fields.durationMs(`${path}retry.${field}`, duration, { min: 0, max: LIMITS.delayMs, fallback: 0 });
  if (!(backoff in BACKOFFS)) fields.wrong(`${path}retry.backoff`, `is ${backoff}, which this broker does not know`);
  check("base", base);
  check("max", max);
  if (!(jitter >= 0 && jitter <= 1)) fields.wrong(`${path}retry.jitter`, `is ${jitter}; must be from 0 to 1`);
  fields.count(`${path}retry.delays`, delays.length, LIMITS.retryDelays);
  for (const [i, delay] of delays.entries()) check(`delays[${i}]`, delay);
}
