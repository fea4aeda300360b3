/**
 * Matches sessions that have room with queues that have ready tasks.
 *
 * For each queue it keeps an estimate of how many ready tasks no claim is on the way for: what was enqueued here adds to
 * it, each claim takes from it, and an answer that is shorter than what was asked for says that the queue is empty. A
 * hint from the store, or the poll, sets it to "unknown". Too high costs one claim in vain, too low is mended by the poll.
 *
 * A claim asks for exactly the room of one session. So no task ever waits in this broker: it is ready in the store, where
 * every broker can take it, or it is on its way to a worker that has room for it.
 */
import { randomUUID } from "node:crypto";
import { draining, TaskwireError } from "../domain/errors.ts";
import type { Lease } from "../domain/lease.ts";
import { Periodic } from "../lib/periodic.ts";
import type { Service } from "../lib/service.ts";
import type { Logger } from "../observe/logger.ts";
import type { ClaimLimit, Grant, Store } from "../store/store.ts";
import type { HeldTask, QueueInFlight } from "./held.ts";
import { type CloseReason, type Outlet, Session, type WorkerProfile } from "./session.ts";
import type { Settler } from "./settler.ts";
import type { Window } from "./window.ts";

const UNKNOWN = Number.POSITIVE_INFINITY;
/** The safety net under lost wake-ups. */
const POLL_MS = 1_000;
const DEADLINE_CHECK_MS = 50;
/** The most tasks of one claim: bounds one reply of the store. */
const MAX_CLAIM_TASKS = 1_024;

interface Member {
  readonly session: Session;
  readonly use: QueueInFlight;
}

interface Line {
  readonly queue: string;
  readonly members: Member[];
  /** Whose turn it is. */
  turn: number;
  estimate: number;
  /** Counts what raised the estimate, to tell whether an answer is older than that. */
  raised: number;
  claiming: number;
  /** The last answer was shorter than what was asked for: an unknown estimate is then probed by one claim at a time. */
  wasShort: boolean;
}

/** One task under a lease. */
interface LeasedIndex {
  readonly lease: Pick<Lease, "broker" | "sequence">;
  readonly index: number;
}

/** A session, and one of the tasks that it holds. */
export interface Holder {
  readonly session: Session;
  readonly task: HeldTask;
}

export interface DispatcherOptions {
  readonly store: Store;
  readonly settler: Settler;
  readonly logger: Logger;
  readonly maxSessions: number;
  readonly maxLost: number;
}

export class Dispatcher implements Service {
  readonly #options: DispatcherOptions;
  readonly #lines = new Map<string, Line>();
  readonly #sessions = new Set<Session>();
  readonly #poll: Periodic;
  readonly #deadlines: Periodic;
  #claimsUnderWay = 0;
  #draining = false;
  #onIdle: (() => void) | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const report = (error: unknown) => options.logger.error({ err: error }, "delivery check failed");
    this.#poll = new Periodic(async () => this.#pollAll(), POLL_MS, report);
    this.#deadlines = new Periodic(async () => this.#failOverdue(), DEADLINE_CHECK_MS, report);
  }

  async start(): Promise<void> {
    await this.#poll.start();
    await this.#deadlines.start();
  }

  /** Closes all sessions; what they hold is given back. */
  async stop(): Promise<void> {
    this.#draining = true;
    await this.#poll.stop();
    await this.#deadlines.stop();
    for (const session of [...this.#sessions]) this.close(session, "broker-stopping");
    if (this.#claimsUnderWay > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions;
  }

  /** Begins a session. @throws TOO_MANY_SESSIONS, DRAINING */
  open(profile: WorkerProfile, window: Window, outlet: Outlet): Session {
    const { maxSessions, settler } = this.#options;
    if (this.#draining) throw draining("subscribe to another one");
    if (this.#sessions.size >= maxSessions) {
      throw new TaskwireError(
        "TOO_MANY_SESSIONS",
        `this broker serves ${maxSessions} sessions already: add a broker, or raise TASKWIRE_MAX_SESSIONS`,
        { retryAfterMs: 5_000 },
      );
    }
    const session = new Session(randomUUID(), profile, window, outlet, settler);
    this.#sessions.add(session);
    for (const use of session.queues) this.#line(use.queue).members.push({ session, use });
    return session;
  }

  close(session: Session, reason: CloseReason): void {
    if (!this.#sessions.delete(session)) return;
    session.close(reason, this.#options.maxLost);
    for (const { queue } of session.queues) {
      const line = this.#lines.get(queue);
      if (!line) continue;
      const at = line.members.findIndex((member) => member.session === session);
      if (at >= 0) line.members.splice(at, 1);
      if (line.members.length === 0) this.#lines.delete(queue);
      else this.#raise(line, UNKNOWN);
    }
  }

  /** For each of these tasks who holds it, if it is held through this broker. */
  holdersOf(tasks: readonly (LeasedIndex | undefined)[]): readonly (Holder | undefined)[] {
    const { brokerId } = this.#options.store;
    const own = tasks.map((task) => (task?.lease.broker === brokerId ? task : undefined));
    const sequences = new Set(own.flatMap((task) => (task ? [task.lease.sequence] : [])));
    const holders = new Map<string, Holder>();
    // Once through all that is held, however many are asked for.
    if (sequences.size > 0) {
      for (const session of this.#sessions) {
        for (const task of session.held)
          if (sequences.has(task.of.lease.sequence)) holders.set(nameOf(task.of.lease, task.index), { session, task });
      }
    }
    return own.map((task) => task && holders.get(nameOf(task.lease, task.index)));
  }

  /** A task was settled by its token: its session lets it go. */
  forget({ session, task }: Holder): void {
    session.forget(task);
    this.roomFreed(session);
  }

  /** A task was cancelled: the worker that holds it, if it does so through this broker, is told to stop. */
  cancelled(lease: LeasedIndex["lease"], index: number): void {
    const [holder] = this.holdersOf([{ lease, index }]);
    if (!holder) return;
    holder.session.cancelled(holder.task);
    this.roomFreed(holder.session);
  }

  /** This broker's leases are void: its sessions end, and their workers come back. */
  fence(): void {
    for (const session of [...this.#sessions]) {
      session.close("fenced", this.#options.maxLost);
      session.disconnect();
    }
  }

  /** No new sessions from now on. */
  drain(): void {
    this.#draining = true;
  }

  /** Tasks were enqueued here and are ready. Call it in the tick of the enqueue: then both take one trip to the store. */
  enqueued(queue: string, tasks: number): void {
    const line = this.#lines.get(queue);
    if (line) this.#raise(line, tasks);
  }

  /** The queue may have ready tasks. */
  wake(queue: string): void {
    const line = this.#lines.get(queue);
    if (line) this.#raise(line, UNKNOWN);
  }

  /** The session may have room again. */
  roomFreed(session: Session): void {
    for (const { queue } of session.queues) {
      const line = this.#lines.get(queue);
      if (line && line.estimate > 0) this.#match(line);
    }
  }

  #line(queue: string): Line {
    let line = this.#lines.get(queue);
    if (!line) {
      line = { queue, members: [], turn: 0, estimate: UNKNOWN, raised: 0, claiming: 0, wasShort: true };
      this.#lines.set(queue, line);
    }
    // A new member does not know what stands there.
    line.estimate = UNKNOWN;
    return line;
  }

  #raise(line: Line, tasks: number): void {
    line.estimate += tasks;
    line.raised++;
    this.#match(line);
  }

  /** Claims for members in turn, until the estimate or the room is used up. */
  #match(line: Line): void {
    for (let tried = 0; tried < line.members.length && line.estimate > 0; tried++) {
      if (line.estimate === UNKNOWN && line.wasShort && line.claiming > 0) return;
      const member = line.members[line.turn % line.members.length];
      line.turn = (line.turn + 1) % line.members.length;
      if (!member) return;
      const room = member.session.roomFor(member.use);
      if (room > 0) this.#claim(line, member, Math.min(room, MAX_CLAIM_TASKS));
    }
  }

  #claim(line: Line, { session, use }: Member, maxTasks: number): void {
    const limit = { maxTasks, maxBytes: session.roomBytes };
    line.estimate = Math.max(0, line.estimate - maxTasks);
    line.claiming++;
    this.#claimsUnderWay++;
    const { raised } = line;
    session.claiming = this.#options.store.claim(line.queue, limit).then(
      (grants) => {
        session.claiming = undefined;
        line.wasShort = !isFull(grants, limit);
        if (!line.wasShort) line.estimate = UNKNOWN;
        else if (line.raised === raised) line.estimate = 0;
        if (grants.length > 0 && !session.accept(grants, use)) this.#handBack(grants);
        this.#claimed(line, session);
      },
      (error) => {
        session.claiming = undefined;
        // The poll tries again.
        line.estimate = 0;
        if (!(error instanceof TaskwireError))
          this.#options.logger.error({ err: error, queue: line.queue }, "claiming failed");
        this.#claimed(line, session);
      },
    );
  }

  #claimed(line: Line, session: Session): void {
    line.claiming--;
    if (--this.#claimsUnderWay === 0) this.#onIdle?.();
    // The line of this claim is one of the session's.
    this.roomFreed(session);
  }

  #handBack(grants: readonly Grant[]): void {
    const settlements = grants.flatMap((lease) =>
      Array.from({ length: lease.count }, (_, i) => ({
        lease,
        index: lease.first + i,
        outcome: { kind: "release" } as const,
      })),
    );
    this.#options.settler.giveBack(settlements);
  }

  async #pollAll(): Promise<void> {
    for (const line of this.#lines.values()) this.#raise(line, UNKNOWN);
  }

  async #failOverdue(): Promise<void> {
    const nowMs = Date.now();
    for (const session of this.#sessions) session.failOverdue(nowMs);
  }
}

function nameOf({ sequence }: Pick<Lease, "sequence">, index: number): string {
  return `${sequence}.${index}`;
}

/** Whether the answer is as large as was asked for, or was cut by its bytes: then there may be more. */
function isFull(grants: readonly Grant[], { maxTasks, maxBytes }: ClaimLimit): boolean {
  let tasks = 0;
  let bytes = 0;
  for (const grant of grants) {
    tasks += grant.count;
    bytes += grant.bodies.length;
  }
  return tasks > 0 && (tasks >= maxTasks || bytes * 2 >= maxBytes);
}
