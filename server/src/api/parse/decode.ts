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
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TaskwireError("INVALID_ARGUMENT", `the frame is not an encoded ${name}: ${reason}`, { cause });
  }
}
