import { inspect } from "node:util";
import { EnqueueRequest, type RetryPolicy as ProtoRetryPolicy, RetryPolicy_Backoff } from "@taskwire/proto";
import type { RetryPolicy, TaskOptions } from "../new-task.ts";
import { toDuration, toTimestamp } from "../wire-time.ts";
import { text, whole } from "./checks.ts";

/** Encodes the fields that few tasks have; undefined when this one has none of them. */
export function optionBytes(options: TaskOptions): Uint8Array | undefined {
  const { taskId, headers, priority, maxRetries, retry, timeoutMs } = options;
  const schedule = scheduleOf(options);
  if (
    taskId === undefined &&
    headers === undefined &&
    priority === undefined &&
    maxRetries === undefined &&
    retry === undefined &&
    timeoutMs === undefined &&
    schedule === undefined
  ) {
    return undefined;
  }
  const request: EnqueueRequest = {
    taskId: text("taskId", taskId),
    type: "",
    queue: "",
    contentType: "",
    headers: headersOf(headers),
    priority: whole("priority", priority ?? 0, { min: -(2 ** 31), max: 2 ** 31 - 1 }),
    maxRetries: maxRetries === undefined ? undefined : whole("maxRetries", maxRetries, { min: 0, max: 2 ** 32 - 1 }),
    retry: retry && retryPolicy(retry),
    timeout: timeoutMs === undefined ? undefined : toDuration("timeoutMs", timeoutMs),
    body: undefined,
    schedule,
  };
  return EnqueueRequest.encode(request).finish();
}

function scheduleOf({ delayMs, runAt }: TaskOptions): EnqueueRequest["schedule"] {
  if (delayMs !== undefined && runAt !== undefined)
    throw new TypeError("delayMs and runAt are both set: a task has one or the other");
  if (delayMs !== undefined) return { $case: "delay", value: toDuration("delayMs", delayMs) };
  if (runAt === undefined) return undefined;
  return { $case: "runTime", value: toTimestamp("runAt", runAt) };
}

function retryPolicy({
  backoff = "quadratic",
  baseMs,
  maxMs,
  jitter = 0,
  delaysMs = [],
}: RetryPolicy): ProtoRetryPolicy {
  const shape = BACKOFFS[backoff];
  if (shape === undefined)
    throw new TypeError(`retry.backoff is ${inspect(backoff)}: it must be one of ${Object.keys(BACKOFFS).join(", ")}`);
  if (typeof jitter !== "number") throw new TypeError(`retry.jitter is ${inspect(jitter)}: it must be a number`);
  return {
    backoff: shape,
    base: baseMs === undefined ? undefined : toDuration("retry.baseMs", baseMs),
    max: maxMs === undefined ? undefined : toDuration("retry.maxMs", maxMs),
    jitter,
    delays: delaysMs.map((delayMs, i) => toDuration(`retry.delaysMs[${i}]`, delayMs)),
  };
}

const BACKOFFS = {
  quadratic: RetryPolicy_Backoff.QUADRATIC,
  exponential: RetryPolicy_Backoff.EXPONENTIAL,
  linear: RetryPolicy_Backoff.LINEAR,
  fixed: RetryPolicy_Backoff.FIXED,
} as const;

const LONE_SURROGATE = /\p{Surrogate}/u;

function headersOf(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  for (const [name, value] of Object.entries(headers)) {
    const field = `headers[${JSON.stringify(name)}]`;
    // The encoder would put another letter in its place, without a word.
    if (LONE_SURROGATE.test(name + text(field, value))) throw new TypeError(`${field} has half of a surrogate pair`);
  }
  return headers;
}
