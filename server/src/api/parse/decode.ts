import { TaskwireError } from "../../domain/errors.ts";

/**
 * Runs a decoder on bytes from outside. The generated ones throw plain errors, which would read as bugs of the broker.
 * @param name the message that the bytes should be
 * @throws INVALID_ARGUMENT
 */
export function decodeAs<Message>(name: string, decode: () => Message): Message {
  try {
    return decode();
  } catch (cause) {
    throw notEncoded(name, cause);
  }
}

function notEncoded(name: string, cause: unknown): TaskwireError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TaskwireError("INVALID_ARGUMENT", `the frame is not an encoded ${name}: ${reason}`, { cause });
}
