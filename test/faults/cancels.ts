/** Cancels tasks while something is killed, keeps what was answered, and checks that nobody was told a lie. */
import { type Client, TaskwireError } from "@taskwire/client";
import { type Counters, TaskState, type TaskStatus } from "@taskwire/proto";
import { expect } from "vitest";
import type { Rpc } from "../support/rpc.ts";
import { until } from "../support/until.ts";
import { type Books, checkStarts, countersOf } from "./audit.ts";

/** What a call of CancelTask was answered. Times are of `Date.now()`. */
interface Answer {
  readonly askedAt: number;
  readonly answeredAt: number;
  /** "ended": it had ended otherwise. */
  readonly kind: "was waiting" | "was active" | "ended";
}

export class Cancels {
  readonly answers = new Map<string, Answer>();
  readonly #client: Client;
  /** When something was killed: a call that was under way then may have been made twice. */
  readonly #faultsAt: number[] = [];

  constructor(client: Client) {
    this.#client = client;
  }

  async cancel(taskId: string): Promise<void> {
    const askedAt = Date.now();
    const kind = await this.#client.cancel(taskId).then(
      (wasActive) => (wasActive ? ("was active" as const) : ("was waiting" as const)),
      (error: unknown) => {
        if (error instanceof TaskwireError && error.reason === "TASK_ENDED") return "ended" as const;
        throw error;
      },
    );
    this.answers.set(taskId, { askedAt, answeredAt: Date.now(), kind });
  }

  /** Resolves once so many calls were answered. */
  async untilAnswered(count: number): Promise<void> {
    await until(
      () => `${count} cancels are answered; ${this.answers.size} are`,
      () => this.answers.size >= count,
      { withinMs: 30_000 },
    );
  }

  async whileKilling(kill: () => Promise<unknown>): Promise<void> {
    this.#faultsAt.push(Date.now());
    await kill();
    this.#faultsAt.push(Date.now());
  }

  ofKind(kind: Answer["kind"]): string[] {
    return [...this.answers].filter(([, answer]) => answer.kind === kind).map(([taskId]) => taskId);
  }

  /** Whether one delivery may have been on its way to its worker when the answer came. */
  mayHaveBeenOnItsWay({ kind, askedAt, answeredAt }: Answer): boolean {
    return kind === "was active" || this.#faultsAt.some((at) => askedAt <= at && at <= answeredAt);
  }
}

/** Waits until all tasks have ended, then checks that each ended once, and as its caller was told. Resolves with the counters. */
export async function auditCancels(rpc: Rpc, { queue, ids, workers }: Books, cancels: Cancels): Promise<Counters> {
  expect(new Set(ids).size, "ids are unique").toBe(ids.length);
  let last = "";
  const counters = await until(
    () => `all ${ids.length} tasks have ended; the counters are ${last}`,
    async () => {
      const now = await countersOf(rpc, queue);
      last = JSON.stringify(now);
      return now && now.enqueued >= ids.length && now.scheduled + now.ready + now.active === 0 && now;
    },
    { withinMs: 40_000, everyMs: 20 },
  );
  const statuses = new Map(await Promise.all(ids.map(async (id) => [id, await statusOf(rpc, id)] as const)));
  const inState = (state: TaskState) => ids.filter((id) => statuses.get(id)?.state === state);
  const completed = inState(TaskState.COMPLETED);
  const cancelled = inState(TaskState.CANCELLED);
  expect(completed.length + cancelled.length, "each task has ended").toBe(ids.length);
  expect(counters, "each end is counted once").toMatchObject({
    enqueued: ids.length,
    completed: completed.length,
    cancelled: cancelled.length,
    dead: 0,
    buried: 0,
  });
  const told = [...cancels.ofKind("was waiting"), ...cancels.ofKind("was active")];
  expect(cancelled.sort(), "what was answered to cancels is so, and nothing else").toEqual(told.sort());
  for (const id of cancelled) expect(statuses.get(id)?.lastResult, id).toMatchObject({ errorType: "cancelled" });
  const confirmed = new Set(workers.flatMap((worker) => worker.ofKind("settled")).map(({ taskId }) => taskId));
  expect(
    told.filter((id) => confirmed.has(id)),
    "no worker was told that a cancelled task is settled",
  ).toEqual([]);
  checkStarts(new Set(ids), workers);
  checkCancelledStarts(workers, cancels);
  return counters;
}

async function statusOf(rpc: Rpc, taskId: string): Promise<TaskStatus | undefined> {
  return (await rpc.tasks.getTask({ taskId })).status;
}

/**
 * What waited never starts after the answer. Of what was active one delivery may still be on its way to its worker, on another
 * connection than the answer.
 */
function checkCancelledStarts(workers: Books["workers"], cancels: Cancels): void {
  const late = new Map<string, number>();
  for (const { taskId, at } of workers.flatMap((worker) => worker.ofKind("started"))) {
    const answer = cancels.answers.get(taskId);
    if (answer && answer.kind !== "ended" && at > answer.answeredAt) late.set(taskId, (late.get(taskId) ?? 0) + 1);
  }
  const wrong = [...late].filter(([taskId, starts]) => {
    const answer = cancels.answers.get(taskId);
    return starts > (answer && cancels.mayHaveBeenOnItsWay(answer) ? 1 : 0);
  });
  expect(wrong, "started after they were cancelled").toEqual([]);
}
