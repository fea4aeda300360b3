/**
 * Groups failures that differ only in what differs between any two tasks. The message is cut down to what stays when numbers,
 * ids, addresses and quoted texts are taken out, as error trackers do.
 */
import { createHash } from "node:crypto";
import { base32 } from "./ids.ts";

const PLACEHOLDER = "…";
const MESSAGE_LENGTH = 200;
const ID_LENGTH = 8;

/** From the most specific to the least: an e-mail address must not be taken apart as a number. */
const VARIABLE: readonly RegExp[] = [
  // An apostrophe inside a word opens no quotation.
  /"[^"\n]*"|(?<!\w)'[^'\n]*'|`[^`\n]*`/g,
  /[\w.+-]+@[\w-]+(\.[\w-]+)+/g,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\b(0x)?(?=[0-9a-z]*\d)[0-9a-z]{8,}\b/gi,
  /\d+([.,:]\d+)*/g,
];

/** What a group of failures has in common. */
export interface FailureGroupKey {
  /** 40 bits of a hash of the error's class and message: names the group within its queue. */
  readonly id: string;
  readonly errorType: string;
  readonly message: string;
}

export function groupOfFailure({
  type,
  message,
}: {
  readonly type: string;
  readonly message: string;
}): FailureGroupKey {
  const normalised = normaliseMessage(message);
  const hash = createHash("sha256").update(`${type}\0${normalised}`).digest();
  return { id: base32(hash.readUIntBE(0, 5), ID_LENGTH), errorType: type, message: normalised };
}

/** The first line of a message, without what differs between tasks. */
export function normaliseMessage(message: string): string {
  const [line = ""] = message.slice(0, 4 * MESSAGE_LENGTH).split("\n", 1);
  return VARIABLE.reduce((text, pattern) => text.replace(pattern, PLACEHOLDER), line).slice(0, MESSAGE_LENGTH);
}
