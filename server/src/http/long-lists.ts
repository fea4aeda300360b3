/**
 * Lists of messages that are longer than any may be, such as a batch of a million tasks, are refused before they are read: that
 * would take seconds, in which nothing else is served and every worker loses its session.
 */
import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import { batchTooLarge } from "../api/parse/batch.ts";
import { Fields } from "../api/parse/fields.ts";
import { LIMITS } from "../domain/limits.ts";
import { eachField } from "../domain/task-body.ts";

/** What is shorter has no list that takes long. */
const LARGE_BYTES = 64 * 1024;

/** @throws BATCH_TOO_LARGE or INVALID_ARGUMENT, as the handler would */
export function refuseLongLists(body: Buffer, isBinary: boolean, { fields }: DescMessage): void {
  const lists = fields.filter((field) => field.fieldKind === "list" && field.listKind === "message");
  if (body.length < LARGE_BYTES || lists.length === 0) return;
  const json = isBinary ? undefined : parse(body);
  const wrong = new Fields();
  for (const { name, jsonName, number } of lists) {
    const length = isBinary ? countEncoded(body, number) : Math.max(countIn(json, name), countIn(json, jsonName));
    if (name === "tasks" && length > LIMITS.batchTasks) throw batchTooLarge(length);
    wrong.count(name, length, LIMITS.batchTasks);
  }
  wrong.check();
}

function countEncoded(body: Buffer, number: number): number {
  let count = 0;
  eachField(body, 0, body.length, (field) => {
    if (field.number === number) count++;
  });
  return count;
}

function countIn(json: JsonValue | undefined, name: string): number {
  const value = typeof json === "object" && json !== null && !Array.isArray(json) ? json[name] : undefined;
  return Array.isArray(value) ? value.length : 0;
}

/** Undefined when it is no JSON, which others say. */
function parse(body: Buffer): JsonValue | undefined {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
