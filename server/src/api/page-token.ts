/** Tokens of ListTasks: where each queue's list goes on, bound to the query that they came from. */
import { createHash } from "node:crypto";
import type { ListPosition } from "../store/store.ts";

/** Of each queue that is not listed to its end, the position to go on at; undefined = from its start. */
export type QueuePositions = ReadonlyMap<string, ListPosition | undefined>;

export function encodePageToken(query: readonly string[], positions: QueuePositions): string {
  const entries = [...positions].map(([queue, position]) => [queue, position ?? ""]);
  return Buffer.from(JSON.stringify([fingerprint(query), fingerprint(entries), ...entries])).toString("base64url");
}

/** The positions in a token; a sentence that says what is wrong when it is not one of this query's. */
export function decodePageToken(query: readonly string[], token: string): QueuePositions | string {
  const parts = parse(token);
  if (!parts) return NO_TOKEN;
  const [print, check, ...entries] = parts;
  if (check !== fingerprint(entries)) return NO_TOKEN;
  if (print !== fingerprint(query))
    return "belongs to another query: a token is bound to state, queue, type and failure_id";
  return new Map(entries.map(([queue, position]) => [queue, position || undefined]));
}

const NO_TOKEN = "is not a token of ListTasks: give the next_page_token of an answer";

/** Fingerprints of the query and of the entries, so that a token that was cut or made up is noticed; then the entries. */
type Parts = readonly [query: string, check: string, ...entries: (readonly [queue: string, position: string])[]];

function parse(token: string): Parts | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    return isToken(parts) ? parts : undefined;
  } catch {
    return undefined;
  }
}

function isToken(parts: unknown): parts is Parts {
  if (!Array.isArray(parts) || !parts.slice(0, 2).every(isString) || parts.length < 2) return false;
  return parts.slice(2).every((entry) => Array.isArray(entry) && entry.length === 2 && entry.every(isString));
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function fingerprint(values: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(values)).digest("base64url").slice(0, 8);
}
