/** What an error of Redis, or of the way to it, means for a call. */
import { storeFull, storeUnavailable, type TaskwireError } from "../../domain/errors.ts";

/** Replies that say: not now, and nothing was done. */
const REFUSED = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|BUSY|MOVED|ASK|NOAUTH|WRONGPASS)\b/;
/** Replies that say: no room; nothing was done. */
const FULL = /^(OOM|MISCONF)\b|command not allowed when used memory/;
/** What ioredis says when a command was never sent. */
const NOT_SENT = /enableOfflineQueue|Connection is closed|Cluster isn't ready|Failed to refresh slots cache|ECONNREFUSED|None of startup nodes is available/;

/** Undefined for anything that is a bug of ours, such as an error inside a script. */
export function fromRedisError(error: unknown): TaskwireError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message, name } = error;
  if (FULL.test(message)) return storeFull(error);
  if (REFUSED.test(message) || NOT_SENT.test(message)) return storeUnavailable(error, "none");
  // Replies of Redis other than those above name a mistake in what we asked.
  if (name === "ReplyError") return undefined;
  return storeUnavailable(error, "unknown");
}
