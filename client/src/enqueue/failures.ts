/** What callers are told when it is not the broker that says it. */
import { status as Code } from "@grpc/grpc-js";
import { DeadlineExceeded, ResourceExhausted, TaskwireError } from "../errors.ts";
import { type Refusal, toError } from "../status.ts";
import type { Caller } from "./caller.ts";

export function noAnswer(): TaskwireError {
  return new TaskwireError("the broker answered fewer tasks than were sent", { code: "INTERNAL", effect: "unknown" });
}

export function bufferFull(): ResourceExhausted {
  const message = "too many tasks wait in this client: the brokers take them more slowly than they come";
  return new ResourceExhausted(message, { code: "RESOURCE_EXHAUSTED", reason: "CLIENT_BUFFER_FULL" });
}

/** The deadline has passed. @param failure how the last stream failed, if no answer came since */
export function overdue(caller: Caller, failure: Refusal | undefined): TaskwireError {
  const effect = caller.isSent ? "unknown" : "none";
  if (failure) return toError({ ...failure, code: Code.UNAVAILABLE }, effect);
  const outcome = caller.isSent ? "whether it was enqueued is unknown" : "it was not enqueued";
  return new DeadlineExceeded(`no answer for ${caller.describe()}: ${outcome}`, { code: "DEADLINE_EXCEEDED", effect });
}
