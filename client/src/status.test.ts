import { RetryInfo } from "@taskwire/proto";
import { expect, it } from "vitest";
import { parseStatus, plainRefusal, toError } from "./status.ts";

it.each([
  ["as it is", { seconds: 1, nanos: 250_000_000 }, 1_250],
  ["not as a busy loop", { seconds: 0, nanos: 0 }, 10],
  ["no longer than a timer can wait", { seconds: 1e9, nanos: 0 }, 86_400_000],
])("takes the delay that a broker asks for %s", (_, retryDelay, expected) => {
  const value = Buffer.from(RetryInfo.encode({ retryDelay }).finish());
  const details = [{ typeUrl: "type.googleapis.com/google.rpc.RetryInfo", value }];

  expect(parseStatus({ code: 8, message: "full", details }).retryAfterMs).toBe(expected);
});

it.each([
  [
    "No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ",
    "no broker could be reached: connect ECONNREFUSED 127.0.0.1:1",
  ],
  ["No connection established", "no broker could be reached"],
  ["this broker is stopping: call another one", "this broker is stopping: call another one"],
])("what gRPC says of a connection that was not made is told in our words: %s", (message, words) => {
  expect(toError(plainRefusal(14, message)).message).toBe(words);
});
