import { TaskwireError } from "../../domain/errors.ts";

/**
 * Runs a decoder on bytes from outside. The generated ones throw plain errors, which would read as bugs of the broker.
 * @param what the bytes are to the caller
 * @param name the message that the bytes should be
 * @throws INVALID_ARGUMENT
 */
export function decodeAs<Message>(what: "request" | "frame", name: string, decode: () => Message): Message {
  try {
    return decode();
  } catch (cause) {
    throw notEncoded(what, name, cause);
  }
}

function notEncoded(what: string, name: string, cause: unknown): TaskwireError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TaskwireError("INVALID_ARGUMENT", `the ${what} is not an encoded ${name}: ${reason}`, { cause });
}
