import type { Session } from "./session.ts";

/** What sessions hold together, and may hold. */
export interface Load {
  readonly sessions: number;
  readonly heldTasks: number;
  readonly windowTasks: number;
}

export function loadOf(sessions: ReadonlySet<Session>): Load {
  let heldTasks = 0;
  let windowTasks = 0;
  for (const session of sessions) {
    heldTasks += session.heldCount;
    // One that takes no more has no window any more; what it holds counts until it is settled.
    windowTasks += session.state === "open" ? session.windowTasks : 0;
  }
  return { sessions: sessions.size, heldTasks, windowTasks };
}
