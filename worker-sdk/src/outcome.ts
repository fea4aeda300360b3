import { Bury, Discard, InvalidResult, Retry, Snooze } from "./errors.ts";

/** How one attempt ended. */
export type Outcome =
  | { readonly kind: "ack"; readonly result: Uint8Array | undefined }
  /** `afterMs` undefined: by the task's policy. */
  | ({ readonly kind: "retry"; readonly afterMs: number | undefined } & Failure)
  | ({ readonly kind: "bury" | "discard" } & Failure)
  | { readonly kind: "snooze"; readonly afterMs: number }
  | { readonly kind: "release" };

/** What is said of an attempt that failed. */
export interface Failure {
  readonly errorType: string;
  readonly message: string;
  /** Where it went wrong; "" when nobody knows. */
  readonly stack: string;
}

/** Most tasks end with it, so there is one for all. */
export const DONE: Outcome = { kind: "ack", result: undefined };
/** Back to the queue, as if it had never been delivered. */
export const RELEASED: Outcome = { kind: "release" };

/** The cap that the contract names. Checked here, too: a frame that is far too large would end the whole stream. */
const MAX_RESULT_BYTES = 1024 * 1024;
/** The broker's own bounds; what is longer travels for nothing. */
const MAX_MESSAGE_LENGTH = 4 * 1024;
const MAX_TYPE_LENGTH = 128;
const MAX_STACK_LENGTH = 4 * 1024;
/** Causes of causes that the stack of an error names. */
const MAX_CAUSES = 4;

/** The outcome of a handler that returned. */
export function outcomeOfValue(value: unknown): Outcome {
  if (value === undefined) return DONE;
  try {
    const result = encodeValue(value);
    if (result && result.byteLength > MAX_RESULT_BYTES) {
      throw new InvalidResult(`the result has ${result.byteLength} bytes, at most ${MAX_RESULT_BYTES} are kept`);
    }
    return result ? { kind: "ack", result } : DONE;
  } catch (error) {
    const isOurs = error instanceof InvalidResult;
    return outcomeOfError(isOurs ? error : new InvalidResult(`the result cannot be written as JSON: ${String(error)}`));
  }
}

/** Bytes as they are, everything else as JSON; undefined for what JSON does not know, such as a function. */
export function encodeValue(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  // The declared type hides that it is undefined for functions, symbols and undefined itself.
  const text: string | undefined = JSON.stringify(value);
  return text === undefined ? undefined : Buffer.from(text);
}

/** The outcome of a handler that threw. */
export function outcomeOfError(error: unknown): Outcome {
  if (error instanceof Snooze) return { kind: "snooze", afterMs: error.afterMs };
  const failure = { errorType: errorType(error), message: errorMessage(error), stack: stackOf(error) };
  if (error instanceof Bury) return { kind: "bury", ...failure };
  if (error instanceof Discard) return { kind: "discard", ...failure };
  return { kind: "retry", afterMs: error instanceof Retry ? error.afterMs : undefined, ...failure };
}

/** What an outcome becomes that the broker called invalid. */
export function invalidOutcome(message: string): Outcome {
  return outcomeOfError(new InvalidResult(`the broker refused the outcome: ${message}`));
}

/** The `name` that a class chose for itself, else the name of the class. */
function errorType(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const name = error.name === "Error" ? error.constructor.name : error.name;
  return name.slice(0, MAX_TYPE_LENGTH) || "Error";
}

function errorMessage(error: unknown): string {
  return (error instanceof Error ? error.message : describe(error)).slice(0, MAX_MESSAGE_LENGTH);
}

/** Whatever can be thrown; an object without a prototype cannot even be made a string. */
function describe(thrown: unknown): string {
  try {
    return typeof thrown === "object" ? JSON.stringify(thrown) : String(thrown);
  } catch {
    return "an error that cannot be described";
  }
}

/** The places in the code, without the message that stands before them, and what caused it. */
function stackOf(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error && parts.length <= 2 * MAX_CAUSES; at = at.cause) {
    if (at !== error) parts.push(`caused by ${errorType(at)}: ${errorMessage(at)}`);
    parts.push(framesOf(at));
  }
  return parts.filter(Boolean).join("\n").slice(0, MAX_STACK_LENGTH);
}

function framesOf({ stack }: Error): string {
  return typeof stack === "string" ? stack.slice(Math.max(0, stack.search(/^ {4}at /m))) : "";
}
