import { leasedKey } from "../domain/lease.ts";
import { Periodic } from "../lib/periodic.ts";
import type { Service } from "../lib/service.ts";
import type { Logger } from "../observe/logger.ts";
import type { Store, WorkerRecord } from "../store/store.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Session } from "./session.ts";

const REFRESH_MS = 2_000;
/** Tasks that a record names: bounded, since a worker may hold thousands. */
const MAX_HOLDING = 10;

/** Writes the sessions of this broker into the store, so that every broker can list all workers. */
export class WorkerRegistry implements Service {
  readonly #store: Store;
  readonly #dispatcher: Dispatcher;
  readonly #refresh: Periodic;
  readonly #logger: Logger;

  constructor(store: Store, dispatcher: Dispatcher, logger: Logger) {
    this.#store = store;
    this.#dispatcher = dispatcher;
    this.#logger = logger;
    this.#refresh = new Periodic(
      () => this.#write(),
      REFRESH_MS,
      (error) => logger.debug({ err: error }, "worker registry not written"),
    );
  }

  start(): Promise<void> {
    return this.#refresh.start();
  }

  stop(): Promise<void> {
    return this.#refresh.stop();
  }

  /** A session opened, or is about to stop. */
  changed(): void {
    this.#write().catch((error) => this.#logger.debug({ err: error }, "worker registry not written"));
  }

  closed(sessionId: string): void {
    this.#store
      .removeWorker(sessionId)
      .catch((error) => this.#logger.debug({ err: error }, "worker record not removed"));
  }

  async #write(): Promise<void> {
    const sessions = [...this.#dispatcher.sessions];
    if (sessions.length > 0)
      await this.#store.putWorkers(sessions.map((session) => toRecord(session, this.#store.brokerId)));
  }
}

function toRecord(session: Session, brokerId: string): WorkerRecord {
  const { workerId, host, sdk, labels, concurrency, queues } = session.profile;
  return {
    workerId,
    sessionId: session.id,
    brokerId,
    host,
    sdk,
    labels,
    queues: queues.map(({ queue, types }) => ({ queue, types })),
    concurrency,
    inFlight: session.heldCount,
    startedAtMs: session.startedAtMs,
    lastSeenAtMs: session.lastSeenAtMs,
    status: session.state === "open" ? "active" : "stopping",
    holding: holdingOf(session),
  };
}

/** The tasks that it has held for the longest time. */
function holdingOf(session: Session): WorkerRecord["holding"] {
  const holding: WorkerRecord["holding"][number][] = [];
  for (const { of, index, deliveredAtMs } of session.held) {
    if (holding.push({ queue: of.lease.queue, key: leasedKey(of.lease, index), deliveredAtMs }) === MAX_HOLDING) break;
  }
  return holding;
}
