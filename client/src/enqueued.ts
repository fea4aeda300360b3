import { EnqueueResponse_Durability as Durability, EnqueueResponse_Outcome as Outcome } from "@taskwire/proto";
import { TASK_STATES, type TaskState } from "./task-status.ts";

/** What an accepted task is known by. */
export interface Enqueued {
  /** The id to ask for it with. */
  readonly taskId: string;
  /** "created": a new task. "existing": a task with this id exists, and nothing was changed. */
  readonly outcome: "created" | "existing" | "unknown";
  /** Its state when it was accepted. */
  readonly state: TaskState;
  /** When it becomes ready, if it is scheduled. */
  readonly runTime: Date | undefined;
  /**
   * How well it is kept, weakest first: "volatile" is in memory, "async" is written to disk soon after, "fsync" is on disk
   * already, "replicated" is on enough replicas.
   */
  readonly durability: "volatile" | "async" | "fsync" | "replicated" | "unknown";
}

/** A value that this version of the client does not know reads as "unknown". */
const OUTCOMES: Readonly<Record<number, Enqueued["outcome"]>> = {
  [Outcome.CREATED]: "created",
  [Outcome.EXISTING]: "existing",
};

const DURABILITIES: Readonly<Record<number, Enqueued["durability"]>> = {
  [Durability.VOLATILE]: "volatile",
  [Durability.ASYNC]: "async",
  [Durability.FSYNC]: "fsync",
  [Durability.REPLICATED]: "replicated",
};

/** The numbers of an EnqueueResponse, as names. */
export interface RawEnqueued {
  readonly taskId: string;
  readonly outcome: number;
  readonly state: number;
  readonly durability: number;
  readonly runTime: Date | undefined;
}

export function toEnqueued({ taskId, outcome, state, durability, runTime }: RawEnqueued): Enqueued {
  return {
    taskId,
    outcome: OUTCOMES[outcome] ?? "unknown",
    state: TASK_STATES[state] ?? "unknown",
    runTime,
    durability: DURABILITIES[durability] ?? "unknown",
  };
}
