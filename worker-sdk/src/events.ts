import type { Outcome } from "./outcome.ts";

/** How an attempt ended, in one word. `retry` is every failure that another attempt may follow. */
export type OutcomeKind = Outcome["kind"];

/** What a worker tells of itself, for tests and metrics. */
export interface WorkerEvents {
  /** A session is open; tasks may come. */
  connected: [{ readonly address: string; readonly sessionId: string }];
  /** A session ended that should not have. The worker connects again by itself. */
  disconnected: [{ readonly address: string; readonly reason: string }];
  /** The broker has confirmed that an outcome is durable. */
  settled: [
    { readonly taskId: string; readonly type: string; readonly attempt: number; readonly outcome: OutcomeKind },
  ];
  /** The broker did not take an outcome, mostly because the task was given to another worker. */
  refused: [{ readonly taskId: string; readonly type: string; readonly attempt: number; readonly reason: string }];
  /** Something blocked the event loop. */
  blocked: [{ readonly blockedMs: number }];
}
