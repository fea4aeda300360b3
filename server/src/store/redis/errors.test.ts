import { describe, expect, test } from "vitest";
import { storeUnavailable, TaskwireError } from "../../domain/errors.ts";
import { isNoScript, toTaskwireError } from "./errors.ts";

describe("an error of Redis", () => {
  test.for([
    ["OOM command not allowed when used memory > 'maxmemory'.", "STORE_FULL", "none"],
    ["MISCONF Redis is configured to save RDB snapshots", "STORE_FULL", "none"],
    ["LOADING Redis is loading the dataset in memory", "STORE_UNAVAILABLE", "none"],
    ["READONLY You can't write against a read only replica.", "STORE_UNAVAILABLE", "none"],
    ["NOREPLICAS Not enough good replicas to write.", "STORE_UNAVAILABLE", "none"],
    ["CLUSTERDOWN The cluster is down", "STORE_UNAVAILABLE", "none"],
  ] as const)("%s changed nothing", ([message, code, effect]) => {
    expect(toTaskwireError(replyError(message))).toMatchObject({ code, effect });
  });

  test("that cut the connection leaves open whether the call happened", () => {
    expect(toTaskwireError(new Error("Connection is closed."))).toMatchObject({
      code: "STORE_UNAVAILABLE",
      effect: "unknown",
    });
  });

  test("that kept the call from being sent changed nothing", () => {
    const error = new Error("Stream isn't writeable and enableOfflineQueue options is false");

    expect(toTaskwireError(error)).toMatchObject({ code: "STORE_UNAVAILABLE", effect: "none" });
  });

  test("of a script is a bug, and stays what it is", () => {
    const error = replyError("WRONGTYPE Operation against a key holding the wrong kind of value");

    expect(toTaskwireError(error)).toBe(error);
    expect(toTaskwireError(error)).not.toBeInstanceOf(TaskwireError);
  });

  test("that was understood before stays what it is", () => {
    const error = storeUnavailable("no answer", "unknown");

    expect(toTaskwireError(error)).toBe(error);
  });

  test("tells a forgotten script", () => {
    expect(isNoScript(replyError("NOSCRIPT No matching script."))).toBe(true);
    expect(isNoScript(new Error("Connection is closed."))).toBe(false);
  });
});

function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}
