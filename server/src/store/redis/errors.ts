/** What each error of Redis means for a call. */
import { storeFull, storeUnavailable, TaskwireError } from "../../domain/errors.ts";

type Meaning = "full" | "none" | "unknown" | "noscript";

/** By the first word of the reply. "none": the server refused, nothing happened. */
const REPLIES: Readonly<Record<string, Meaning>> = {
  NOSCRIPT: "noscript",
  OOM: "full",
  MISCONF: "full",
  LOADING: "none",
  BUSY: "none",
  READONLY: "none",
  NOREPLICAS: "none",
  MASTERDOWN: "none",
  CLUSTERDOWN: "none",
  TRYAGAIN: "none",
  MOVED: "none",
  ASK: "none",
  NOAUTH: "none",
  WRONGPASS: "none",
  NOPERM: "none",
  UNKILLABLE: "unknown",
  UNBLOCKED: "unknown",
};

/** What ioredis says when it did not even send the command. */
const NOT_SENT = /enableOfflineQueue|Cluster is ended|Connection is in/;

/** What ioredis says of commands that were under way when the connection broke. */
const BROKEN = /max retries per request|Connection is closed|Command aborted/;

export function isNoScript(error: unknown): boolean {
  return meaningOf(error) === "noscript";
}

/** What a failed call is to its caller. An error that is no matter of reaching the server is a bug, and stays as it is. */
export function toTaskwireError(error: unknown): TaskwireError | Error {
  if (error instanceof TaskwireError) return error;
  const meaning = meaningOf(error);
  if (meaning === "full") return storeFull(error);
  if (meaning === "noscript") return storeUnavailable(error, "none");
  if (meaning) return storeUnavailable(BROKEN.test(String(error)) ? "the connection broke" : error, meaning);
  return error instanceof Error ? error : new Error(String(error));
}

function meaningOf(error: unknown): Meaning | undefined {
  if (!(error instanceof Error)) return undefined;
  const known = REPLIES[/^-?([A-Z]+)\b/.exec(error.message)?.[1] ?? ""];
  if (known) return known;
  // Errors of the script itself.
  if (error.name === "ReplyError") return undefined;
  return NOT_SENT.test(error.message) ? "none" : "unknown";
}
