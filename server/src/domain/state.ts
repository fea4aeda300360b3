/**
 * A task's life as one table. The stores, the diagram in docs/task-lifecycle.md and the random-walk test all follow it:
 * a move that is not here cannot happen.
 */
export const TRANSITIONS = {
  /** Waits for its time. Promoted by whichever broker notices first that the time has come. */
  scheduled: { promote: "ready", cancel: "cancelled" },
  /** Stands in the line. `ack` happens here only to a lost delivery whose worker reports before anyone else claims it. */
  ready: { claim: "active", ack: "completed", cancel: "cancelled" },
  /** Leased to a worker. Every move out of it but `cancel` is conditional on the lease. */
  active: {
    ack: "completed",
    retry: "scheduled",
    snooze: "scheduled",
    release: "ready",
    lose: "ready",
    bury: "dead",
    discard: "cancelled",
    cancel: "cancelled",
  },
  /** A worker acknowledged it. Its result is kept for a while. */
  completed: {},
  /** Out of retries, or refused for good. Kept with its payload, until it is revived, deleted or, as one of the oldest, dropped. */
  dead: { revive: "ready" },
  /** Cancelled, or discarded by its handler. Why is kept for a while. */
  cancelled: {},
} as const satisfies Record<string, Record<string, string>>;

export type TaskState = keyof typeof TRANSITIONS;

/** The states that a task leaves only if someone revives it. */
export function hasEnded(state: TaskState): boolean {
  return state === "completed" || state === "dead" || state === "cancelled";
}
