/** The failed attempts, as the worker logs them, and what the broker makes of each. */
import type { Client } from "@taskwire/client";

export interface FailedAttempt {
  readonly taskId: string;
  readonly queue: string;
  readonly attempt: number;
  readonly error: string;
  readonly at: number;
  fate: Fate;
}

export type Fate =
  | { readonly kind: "unknown" }
  | { readonly kind: "waits"; readonly until: number }
  | { readonly kind: "runs again" }
  | { readonly kind: "failed again" }
  | { readonly kind: "completed"; readonly attempt: number }
  | { readonly kind: "dead" };

export class Failures {
  readonly all: FailedAttempt[] = [];
  readonly #client: Client;
  #isAsking = false;

  constructor(client: Client) {
    this.#client = client;
  }

  /** One line of the worker's log. Resolves to the failure that it tells of, if it does. */
  read(line: string): FailedAttempt | undefined {
    const entry = parse(line);
    if (entry?.msg !== "attempt failed") return undefined;
    const failure: FailedAttempt = {
      taskId: String(entry.taskId),
      queue: String(entry.queue),
      attempt: Number(entry.attempt),
      error: entry.err?.message ?? "unknown error",
      at: Date.now(),
      fate: { kind: "unknown" },
    };
    for (const earlier of this.all) {
      if (earlier.taskId === failure.taskId) earlier.fate = { kind: "failed again" };
    }
    this.all.push(failure);
    return failure;
  }

  /** Asks the broker about every failure that may have gone on. */
  async update(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const open = this.all.filter(({ fate }) => !["failed again", "completed", "dead"].includes(fate.kind));
    await Promise.allSettled(
      open.map(async (failure) => {
        const fate = await this.#fateOf(failure);
        if (failure.fate.kind !== "failed again") failure.fate = fate;
      }),
    );
    this.#isAsking = false;
  }

  async #fateOf({ taskId, attempt, fate }: FailedAttempt): Promise<Fate> {
    const status = await this.#client.get(taskId);
    if (status.state === "completed") return { kind: "completed", attempt: status.attempt };
    if (status.state === "dead") return { kind: "dead" };
    // The broker has not heard of the failure yet.
    if (status.attempt <= attempt) return fate;
    if (status.state === "scheduled" && status.runTime) return { kind: "waits", until: status.runTime.getTime() };
    return { kind: "runs again" };
  }
}

interface LogEntry {
  readonly msg?: unknown;
  readonly taskId?: unknown;
  readonly queue?: unknown;
  readonly attempt?: unknown;
  readonly err?: { readonly message?: string };
}

function parse(line: string): LogEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
