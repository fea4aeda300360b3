/** From errors to what goes over the wire: a gRPC status with google.rpc details. */
import {
  type Any,
  BadRequest,
  type Duration,
  ErrorInfo,
  QuotaFailure,
  ResourceInfo,
  RetryInfo,
  type Status,
} from "@taskwire/proto";
import { type ErrorCode, TaskwireError } from "../domain/errors.ts";

/** The numbers of the gRPC status codes that we use. */
export const CODE = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

const CODES: Record<ErrorCode, keyof typeof CODE> = {
  INVALID_ARGUMENT: "INVALID_ARGUMENT",
  BATCH_TOO_LARGE: "INVALID_ARGUMENT",
  TASK_NOT_FOUND: "NOT_FOUND",
  QUEUE_NOT_FOUND: "NOT_FOUND",
  QUEUE_NEEDED: "INVALID_ARGUMENT",
  TASK_ENDED: "FAILED_PRECONDITION",
  TASK_NOT_DEAD: "FAILED_PRECONDITION",
  ALL_NEEDED: "INVALID_ARGUMENT",
  BATCH_ABOVE_BURST: "FAILED_PRECONDITION",
  RATE_LIMITED: "RESOURCE_EXHAUSTED",
  HELLO_EXPECTED: "INVALID_ARGUMENT",
  TOO_MANY_QUEUES: "RESOURCE_EXHAUSTED",
  TOO_MANY_SESSIONS: "RESOURCE_EXHAUSTED",
  STORE_FULL: "RESOURCE_EXHAUSTED",
  STORE_UNAVAILABLE: "UNAVAILABLE",
  DRAINING: "UNAVAILABLE",
  SESSION_TIMED_OUT: "DEADLINE_EXCEEDED",
};

/** The gRPC status code of an error. */
export function statusCode(code: ErrorCode): keyof typeof CODE {
  return CODES[code];
}

/** The status of an error. Anything but a TaskwireError is a bug: the caller learns nothing of it but that. */
export function toStatus(error: unknown): Status {
  if (!(error instanceof TaskwireError)) {
    return { code: CODE.INTERNAL, message: "internal error: the log of the broker has the details", details: [] };
  }
  return { code: CODE[CODES[error.code]], message: error.message, details: toDetails(error) };
}

/** ErrorInfo is the promise "no effect": a status whose effect is unknown goes without. */
function toDetails({ code, message, details, effect }: TaskwireError): Any[] {
  const { fields, retryAfterMs, metadata = {} } = details;
  const list: Any[] = [];
  if (effect === "none")
    list.push(
      any("ErrorInfo", ErrorInfo.encode({ reason: code, domain: "taskwire", metadata: { ...metadata } }).finish()),
    );
  if (fields) list.push(any("BadRequest", BadRequest.encode({ fieldViolations: [...fields] }).finish()));
  if (retryAfterMs !== undefined)
    list.push(any("RetryInfo", RetryInfo.encode({ retryDelay: toDuration(retryAfterMs) }).finish()));
  if (CODES[code] === "RESOURCE_EXHAUSTED") {
    list.push(
      any(
        "QuotaFailure",
        QuotaFailure.encode({ violations: [{ subject: code.toLowerCase(), description: message }] }).finish(),
      ),
    );
  }
  if (CODES[code] === "NOT_FOUND") {
    const resourceType = code === "TASK_NOT_FOUND" ? "task" : "queue";
    const resourceName = metadata[resourceType] ?? "";
    list.push(
      any(
        "ResourceInfo",
        ResourceInfo.encode({ resourceType, resourceName, owner: "", description: message }).finish(),
      ),
    );
  }
  return list;
}

function any(name: string, value: Uint8Array): Any {
  return { typeUrl: `type.googleapis.com/google.rpc.${name}`, value: Buffer.from(value) };
}

export function toDuration(ms: number): Duration {
  return { seconds: Math.floor(ms / 1_000), nanos: Math.round((ms % 1_000) * 1e6) };
}
