import type { Enqueued } from "../enqueued.ts";
import { SomeNotEnqueued, TaskwireError } from "../errors.ts";
import { aborted, type Caller, type Patience } from "./caller.ts";

/** What `enqueueMany` waits for: one place for each task, in order, taken by its caller until it is answered. */
export class Gathering {
  /** Of all of them together. */
  readonly deadline: Pick<Patience, "deadlineAt" | "deadlineMs">;
  readonly #results: (Enqueued | TaskwireError | Caller)[] = [];
  #waitingCount = 0;
  #failedCount = 0;
  #first: TaskwireError | undefined;
  #finished: (() => void) | undefined;

  /** A failure after which it is of no use to send more tasks. That a task is invalid says nothing of the next. */
  hopeless: TaskwireError | undefined;

  constructor(deadline: Pick<Patience, "deadlineAt" | "deadlineMs">) {
    this.deadline = deadline;
  }

  /** A caller for the next task. */
  caller(): Caller {
    const caller = new GatheringCaller(this, this.#results.length);
    this.#results.push(caller);
    this.#waitingCount++;
    return caller;
  }

  put(index: number, result: Enqueued | TaskwireError): void {
    if (result instanceof TaskwireError) {
      this.#failedCount++;
      this.#first ??= result;
      if (result.code !== "INVALID_ARGUMENT") this.hopeless ??= result;
    }
    this.#results[index] = result;
    if (--this.#waitingCount === 0) this.#finished?.();
  }

  /** Gives up all that is not answered. */
  abort(signal: AbortSignal): void {
    for (const result of this.#results) {
      if (result instanceof GatheringCaller) result.fail(aborted(signal, result.isSent ? "unknown" : "none"));
    }
    this.hopeless ??= aborted(signal, "none");
  }

  /** Resolves once every task was answered; rejects with `SomeNotEnqueued` when one failed, or not all were taken. */
  async all(): Promise<Enqueued[]> {
    if (this.#waitingCount > 0) await new Promise<void>((resolve) => (this.#finished = resolve));
    // No place is held by a caller any more.
    const results = this.#results as (Enqueued | TaskwireError)[];
    const first = this.#first ?? this.hopeless;
    if (first) throw new SomeNotEnqueued(results, first, this.#failedCount);
    // Without a failure every result is what became of a task.
    return results as Enqueued[];
  }
}

class GatheringCaller implements Caller {
  isWaiting = true;
  isSent = false;
  readonly #gathering: Gathering;
  readonly #index: number;

  constructor(gathering: Gathering, index: number) {
    this.#gathering = gathering;
    this.#index = index;
  }

  get deadlineAt(): number {
    return this.#gathering.deadline.deadlineAt;
  }

  describe(): string {
    return `task ${this.#index + 1} of the input within ${this.#gathering.deadline.deadlineMs} ms`;
  }

  accept(enqueued: Enqueued): void {
    this.isWaiting = false;
    this.#gathering.put(this.#index, enqueued);
  }

  fail(error: TaskwireError): void {
    this.isWaiting = false;
    this.#gathering.put(this.#index, error);
  }
}
