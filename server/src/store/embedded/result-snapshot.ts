import { parseBlockKey } from "../../domain/ids.ts";
import { endedSnapshot } from "../ended-snapshot.ts";
import type { FoundResult } from "../records.ts";
import type { TaskSnapshot } from "../store.ts";
import type { Queue } from "./queue.ts";

export function resultSnapshot({ name }: Queue, key: string, found: FoundResult): TaskSnapshot {
  const task = { queue: name, key, enqueuedAtMs: parseBlockKey(key)?.timeMs ?? 0 };
  // Leases are counted from 1: a task that was cancelled while it waited was under none.
  return endedSnapshot(task, found, found.sequence > 0);
}
