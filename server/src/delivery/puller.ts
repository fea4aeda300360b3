import { draining, type TaskwireError } from "../domain/errors.ts";
import { Periodic } from "../lib/periodic.ts";
import type { Service } from "../lib/service.ts";
import type { Logger } from "../observe/logger.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Delivery, Session, WorkerProfile } from "./session.ts";

const SWEEP_MS = 1_000;

export interface Pull {
  readonly workerId: string;
  readonly queues: readonly string[];
  readonly maxTasks: number;
  readonly maxBytes: number;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Hands out tasks without a stream. A pull is a session that takes tasks once; nothing tells whether its worker lives, so
 * it lasts until its tasks are settled by token, or have timed out.
 */
export class Puller implements Service {
  readonly #dispatcher: Dispatcher;
  readonly #sessions = new Set<Session>();
  /** Ends each pull that waits for its first task. */
  readonly #waiting = new Set<(error: TaskwireError) => void>();
  readonly #sweep: Periodic;

  constructor(dispatcher: Dispatcher, logger: Logger) {
    this.#dispatcher = dispatcher;
    this.#sweep = new Periodic(
      async () => this.#closeEmpty(),
      SWEEP_MS,
      (error) => logger.error({ err: error }, "pull sweep failed"),
    );
  }

  start(): Promise<void> {
    return this.#sweep.start();
  }

  stop(): Promise<void> {
    return this.#sweep.stop();
  }

  /** Ends the pulls that wait, without a task: the broker is stopping. */
  drain(): void {
    for (const end of [...this.#waiting]) end(draining("pull from another one"));
  }

  /** Resolves with what is ready; after `waitMs` with nothing. @throws as Dispatcher.open, and DRAINING */
  pull({ workerId, queues, maxTasks, maxBytes, waitMs, signal }: Pull): Promise<readonly Delivery[]> {
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const profile: WorkerProfile = {
        workerId,
        host: "",
        sdk: "pull",
        labels: {},
        concurrency: maxTasks,
        queues: queues.map((queue) => ({ queue, maxInFlight: 0, types: [] })),
      };
      const finish = (deliveries: readonly Delivery[]) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#waiting.delete(onDrain);
        session.stopDelivery();
        resolve(deliveries);
      };
      const onAbort = () => {
        finish([]);
        this.#close(session);
      };
      const onDrain = (error: TaskwireError) => {
        // First: what is being claimed for it goes back.
        this.#close(session);
        reject(error);
        finish([]);
      };
      const outlet = {
        deliver: (deliveries: readonly Delivery[]) => {
          finish(deliveries.map(({ grant, deadlinesMs }) => ({ grant, firstTag: 0, deadlinesMs })));
          return true;
        },
        revoked: () => {},
        disconnect: () => this.#close(session),
      };
      const session = this.#dispatcher.open(profile, { maxTasks, maxBytes }, outlet);
      const timer = setTimeout(() => finish([]), waitMs);
      signal.addEventListener("abort", onAbort);
      this.#sessions.add(session);
      this.#waiting.add(onDrain);
      this.#dispatcher.roomFreed(session);
    });
  }

  #closeEmpty(): void {
    for (const session of this.#sessions)
      if (session.state === "stopping" && session.heldCount === 0 && !session.claiming) this.#close(session);
  }

  #close(session: Session): void {
    this.#sessions.delete(session);
    this.#dispatcher.close(session, "worker-left");
  }
}
