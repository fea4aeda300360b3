/** From what a broker answers to the errors of this package. */
import { status as Code } from "@grpc/grpc-js";
import { BadRequest, ErrorInfo, RetryInfo, Status } from "@taskwire/proto";
import {
  DeadlineExceeded,
  type FieldViolation,
  ResourceExhausted,
  TaskNotFound,
  TaskwireError,
  Unavailable,
} from "./errors.ts";

/** A gRPC status with its details taken apart. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
  /** From ErrorInfo; "" without one. With one the broker says that the call changed nothing. */
  readonly reason: string;
  readonly fields: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;
}

/** Codes that say nothing about the call itself: the same call may succeed on another connection, or another broker. */
const TRANSIENT: ReadonlySet<number> = new Set([
  // A broker that stops may end its streams with OK.
  Code.OK,
  Code.CANCELLED,
  Code.UNKNOWN,
  Code.DEADLINE_EXCEEDED,
  Code.ABORTED,
  Code.INTERNAL,
  Code.UNAVAILABLE,
]);

export function isTransient({ code }: Refusal): boolean {
  return TRANSIENT.has(code);
}

/** Whether the call never left this process, since there was no connection. grpc-js says so in its message alone. */
export function isUnsent({ code, message }: Refusal): boolean {
  return code === Code.UNAVAILABLE && message.startsWith("No connection established");
}

/** Bounds of what a broker may ask for: no busy loop, and no longer than a timer can wait. */
const MIN_RETRY_MS = 10;
const MAX_RETRY_MS = 24 * 60 * 60 * 1_000;

/** Where gRPC puts a google.rpc.Status. */
export const STATUS_DETAILS_KEY = "grpc-status-details-bin";

/** Reads the end of a call. `details` is the google.rpc.Status from its trailer, if it had one. */
export function parseTrailer(code: number, message: string, details: unknown): Refusal {
  if (details instanceof Uint8Array) {
    try {
      return parseStatus({ ...Status.decode(details), code, message });
    } catch {
      // Written by something between us and the broker: the code and the message must do.
    }
  }
  return plainRefusal(code, message);
}

/** A refusal without details. */
export function plainRefusal(code: number, message: string): Refusal {
  return { code, message, reason: "", fields: [], retryAfterMs: undefined };
}

/** Reads a google.rpc.Status; details of kinds that this client does not know are passed over. */
export function parseStatus({ code, message, details }: Status): Refusal {
  let reason = "";
  let fields: readonly FieldViolation[] = [];
  let retryAfterMs: number | undefined;
  for (const { typeUrl, value } of details) {
    switch (typeUrl) {
      case "type.googleapis.com/google.rpc.ErrorInfo":
        reason = ErrorInfo.decode(value).reason;
        break;
      case "type.googleapis.com/google.rpc.BadRequest":
        fields = BadRequest.decode(value).fieldViolations;
        break;
      case "type.googleapis.com/google.rpc.RetryInfo": {
        const { seconds, nanos } = RetryInfo.decode(value).retryDelay ?? { seconds: 0, nanos: 0 };
        retryAfterMs = Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, seconds * 1_000 + Math.ceil(nanos / 1e6)));
        break;
      }
    }
  }
  return { code, message, reason, fields, retryAfterMs };
}

/** The error to throw for a refusal. */
export function toError(refusal: Refusal, effect: "none" | "unknown" = "none"): TaskwireError {
  const { message, reason, retryAfterMs } = refusal;
  const facts = { code: codeName(refusal.code), reason, retryAfterMs, effect };
  switch (refusal.code) {
    case Code.NOT_FOUND:
      return new TaskNotFound(message, facts);
    case Code.UNAVAILABLE:
      return new Unavailable(isUnsent(refusal) ? unreachable(message) : message, facts);
    case Code.RESOURCE_EXHAUSTED:
      return new ResourceExhausted(message, facts);
    case Code.DEADLINE_EXCEEDED:
      return new DeadlineExceeded(message, facts);
    default:
      return new TaskwireError(message, facts);
  }
}

/** grpc-js adds what is of no use to a caller: the name of the class, and a note that is empty. */
function unreachable(message: string): string {
  const [, reason] = /Last error: (?:Error: )?(.*?)\.?(?: Resolution note: .*)?$/.exec(message) ?? [];
  return reason ? `no broker could be reached: ${reason}` : "no broker could be reached";
}

export function codeName(code: number): string {
  return Code[code] ?? `code ${code}`;
}
