/**
 * The groups of failures of a queue: in the hash `groups`, by its id, "<count> <first> <last> <key of the sample> <what>", where
 * "what" is the error's type and message in JSON. Which dead task belongs to which group stands in its state, and in the zset
 * `grouped`. All of it is changed by the script that moves the task: see lib/groups.lua.
 */
import { groupOfFailure } from "../../domain/failure-group.ts";
import type { FailureGroup } from "../store.ts";
import type { Reply } from "./connection.ts";

/** What a script has to know of a death: "<when> <id of the group> <what>". */
export function encodeDeath(failure: { readonly type: string; readonly message: string }, nowMs: number): Buffer {
  const { id, errorType, message } = groupOfFailure(failure);
  return Buffer.from(`${nowMs} ${id} ${JSON.stringify([errorType, message])}`);
}

/** @param reply all fields and values of the hash */
export function readGroups(reply: Reply): FailureGroup[] {
  const groups: FailureGroup[] = [];
  const flat = Array.isArray(reply) ? reply.map(String) : [];
  for (let at = 0; at < flat.length; at += 2) {
    const [, count, first, last, sampleKey = "", what = ""] =
      /^(\d+) (\d+) (\d+) (\S+) (.*)$/s.exec(flat[at + 1] ?? "") ?? [];
    // Only encodeDeath writes these.
    const [errorType, message] = JSON.parse(what) as [string, string];
    groups.push({
      id: flat[at] ?? "",
      errorType,
      message,
      count: Number(count),
      firstAtMs: Number(first),
      lastAtMs: Number(last),
      sampleKey,
    });
  }
  return groups;
}
