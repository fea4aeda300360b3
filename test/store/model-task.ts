/** One task of the model: what is known of it, and how its attempts are kept. */
import {
  type Attempt,
  type AttemptResult,
  hasEnded,
  type Lease,
  LIMITS,
  type NewTask,
  type Outcome,
  type TaskSnapshot,
  type TaskState,
} from "@taskwire/server/testing";

export interface ModelTask {
  readonly queue: string;
  readonly key: string;
  readonly task: NewTask;
  /** Which of all tasks of its queue this was. */
  readonly number: number;
  readonly enqueuedAtMs: number;
  /** Where it stands among the ready of its priority: lower first. */
  place: number;
  state: TaskState;
  attempt: number;
  lostCount: number;
  runAtMs: number;
  /** When it was due the last time; 0 if it was never scheduled. */
  dueAtMs: number;
  readyAtMs: number;
  leasedAtMs: number;
  lastResult: AttemptResult | undefined;
  /** Newest first. */
  attempts: readonly Attempt[];
  /** The last lease, unless the task was cancelled since. */
  lease: Lease | undefined;
  /** What the last lease was settled with. */
  outcome: Outcome["kind"] | undefined;
  /** Which of all ends of its queue this was; 0 before it. */
  ended: number;
  /** The group of failures that it belongs to while it is dead. */
  group: string | undefined;
}

export function newModelTask(
  given: Pick<ModelTask, "queue" | "key" | "task" | "number" | "place">,
  now: number,
): ModelTask {
  const { delayMs, runAtMs } = given.task;
  const dueAtMs = delayMs > 0 ? now + delayMs : runAtMs;
  const isDue = dueAtMs <= now;
  return {
    ...given,
    enqueuedAtMs: now,
    state: isDue ? "ready" : "scheduled",
    attempt: 1,
    lostCount: 0,
    runAtMs: isDue ? 0 : dueAtMs,
    dueAtMs: isDue ? 0 : dueAtMs,
    readyAtMs: now,
    leasedAtMs: 0,
    lastResult: undefined,
    attempts: [],
    lease: undefined,
    outcome: undefined,
    ended: 0,
    group: undefined,
  };
}

export function snapshotOf(entry: ModelTask): TaskSnapshot {
  const { queue, key, state, attempt, lostCount, enqueuedAtMs, runAtMs, lastResult, attempts } = entry;
  const body = hasEnded(state) && state !== "dead" ? undefined : entry.task.body;
  return { queue, key, state, body, attempt, lostCount, enqueuedAtMs, runAtMs, lastResult, attempts };
}

/** Adds the attempt that ended; the oldest make room. */
export function keepAttempt(
  entry: ModelTask,
  ended: Pick<Attempt, "outcome" | "failure" | "durationMs" | "workerId">,
  now: number,
): void {
  const waitMs = entry.leasedAtMs - entry.readyAtMs;
  const kept = [{ ...ended, attempt: entry.attempt, waitMs, endedAtMs: now }, ...entry.attempts];
  kept.splice(LIMITS.attemptsKept);
  while (kept.length > 1 && lettersOf(kept) > LIMITS.attemptsLength) kept.pop();
  entry.attempts = kept;
}

function lettersOf(attempts: readonly Attempt[]): number {
  return attempts.reduce((sum, { failure }) => sum + (failure ? failure.message.length + failure.stack.length : 0), 0);
}

export function scheduleAt(entry: ModelTask, runAtMs: number): void {
  entry.state = "scheduled";
  entry.runAtMs = runAtMs;
  entry.dueAtMs = runAtMs;
}
