/**
 * One worker's stream, from Hello to its end.
 *
 *     open ──stopDelivery()──> stopping ──┐
 *      └────────close(reason)─────────────┴──> closed
 *
 * The session holds tasks: it knows which are delivered and not settled, and by when each must be. Whatever ends it, there
 * is one path: `close` gives back everything that it still holds. It knows nothing of gRPC: tasks leave through `deliver`.
 */
import { durationText, judge } from "../domain/failure.ts";
import { DEFAULT_OPTIONS, type TaskOptions } from "../domain/options.ts";
import { readOptions } from "../domain/task-body.ts";
import { eachBody } from "../store/bodies.ts";
import type { Failure, Grant, Outcome, Settlement } from "../store/store.ts";
import { type Held, type HeldTask, holdGrant, optionsOf, type Progress, type QueueInFlight } from "./held.ts";
import { failed, outcomeOf, type Report } from "./report.ts";
import type { Settler } from "./settler.ts";
import { type Window, WindowUse } from "./window.ts";

/** What a worker said of itself. */
export interface WorkerProfile {
  readonly workerId: string;
  readonly host: string;
  readonly sdk: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly concurrency: number;
  readonly queues: readonly {
    readonly queue: string;
    readonly maxInFlight: number;
    readonly types: readonly string[];
  }[];
}

/** A run of tasks as it goes out: the grant, and for its tasks the tags from `firstTag` on. */
export interface Delivery {
  readonly grant: Grant;
  readonly firstTag: number;
  /** One for all tasks, or one for each. */
  readonly deadlinesMs: readonly number[];
}

/** Why a task was taken from its worker: it ran too long, or somebody cancelled it. */
export type RevokeReason = "timeout" | "cancelled";

/** Where a session's tasks go. */
export interface Outlet {
  /** Sends tasks; false when the reader is behind, and no more should come until `Session.resume`. */
  deliver(deliveries: readonly Delivery[]): boolean;
  /** Tells the worker that tasks are no longer its own. */
  revoked(tags: readonly number[], reason: RevokeReason): void;
  /** Ends the stream: the worker is to come back with a new one. */
  disconnect(): void;
}

export interface TagReport {
  readonly tag: number;
  readonly report: Report;
}

/** An outcome that did not count. */
export interface Rejected {
  readonly tag: number;
  readonly reason: "stale" | "unknown-tag" | "unavailable";
}

export type CloseReason = "worker-lost" | "worker-left" | "broker-stopping" | "fenced";

export class Session {
  readonly id: string;
  readonly profile: WorkerProfile;
  readonly queues: readonly QueueInFlight[];
  readonly startedAtMs = Date.now();
  lastSeenAtMs = this.startedAtMs;
  /** The claim for this session that is under way: there is at most one, so that its room is never promised twice. */
  claiming: Promise<void> | undefined;
  readonly #outlet: Outlet;
  readonly #settler: Settler;
  readonly #use: WindowUse;
  readonly #held = new Map<number, HeldTask>();
  /** Tags that were taken away: a late outcome for one is stale. Those of settled tasks are remembered by their absence. */
  readonly #revoked = new Set<number>();
  #lastTag = 0;
  #state: "open" | "stopping" | "closed" = "open";
  #readerBehind = false;
  /**
   * A task of it has timed out, and its worker has sent nothing since: it may be frozen, and what it is given would have to
   * time out again.
   */
  #isInDoubt = false;
  /** No deadline is earlier than this. */
  #earliestDeadlineMs = Number.POSITIVE_INFINITY;

  constructor(id: string, profile: WorkerProfile, window: Window, outlet: Outlet, settler: Settler) {
    this.id = id;
    this.profile = profile;
    this.queues = profile.queues.map(({ queue, maxInFlight }) => ({
      queue,
      max: maxInFlight || Number.POSITIVE_INFINITY,
      inFlight: 0,
    }));
    this.#outlet = outlet;
    this.#settler = settler;
    this.#use = new WindowUse(window);
  }

  get state(): "open" | "stopping" | "closed" {
    return this.#state;
  }

  get lastTag(): number {
    return this.#lastTag;
  }

  /** Delivered and not settled. */
  get heldCount(): number {
    return this.#held.size;
  }

  get windowTasks(): number {
    return this.#use.maxTasks;
  }

  /** How many tasks of a queue it can take now. */
  roomFor(queue: QueueInFlight): number {
    if (this.#state !== "open" || this.#readerBehind || this.#isInDoubt || this.claiming) return 0;
    return Math.min(this.#use.roomTasks, queue.max - queue.inFlight);
  }

  get roomBytes(): number {
    return this.#use.roomBytes;
  }

  /** A frame came from its worker. Returns whether it was in doubt until now: then there may be room again. */
  heard(): boolean {
    this.lastSeenAtMs = Date.now();
    const wasInDoubt = this.#isInDoubt;
    this.#isInDoubt = false;
    return wasInDoubt;
  }

  resize(window: Window): void {
    this.#use.resize(window);
  }

  /** The reader has caught up. */
  resume(): void {
    this.#readerBehind = false;
  }

  stopDelivery(): void {
    if (this.#state === "open") this.#state = "stopping";
  }

  /** Takes what was claimed for it. Returns false, having taken nothing, when it takes no tasks now. */
  accept(grants: readonly Grant[], queue: QueueInFlight): boolean {
    if (this.#state !== "open" || this.#isInDoubt) return false;
    const nowMs = Date.now();
    const deliveries = grants.map((grant) => this.#hold(grant, queue, nowMs));
    if (!this.#outlet.deliver(deliveries)) this.#readerBehind = true;
    return true;
  }

  #hold(grant: Grant, queue: QueueInFlight, nowMs: number): Delivery {
    const held = holdGrant(grant, queue);
    const firstTag = this.#lastTag + 1;
    const deadlinesMs: number[] = [];
    let index = grant.first;
    eachBody(grant.bodies, (start, end) => {
      const options = grant.hasOptions ? readOptions(grant.bodies.subarray(start, end)) : undefined;
      const deadlineAtMs = this.#add(held, index++, { bytes: end - start, nowMs, options });
      if (options || deadlinesMs.length === 0) deadlinesMs.push(deadlineAtMs);
    });
    return { grant, firstTag, deadlinesMs };
  }

  #add(
    of: Held,
    index: number,
    { bytes, nowMs, options }: { bytes: number; nowMs: number; options: TaskOptions | undefined },
  ): number {
    const tag = ++this.#lastTag;
    const deadlineAtMs = nowMs + (options ?? DEFAULT_OPTIONS).timeoutMs;
    this.#held.set(tag, {
      tag,
      of,
      index,
      bytes,
      deliveredAtMs: nowMs,
      options,
      deadlineAtMs,
      progress: undefined,
      settling: false,
    });
    this.#use.take(bytes);
    of.queue.inFlight++;
    if (deadlineAtMs < this.#earliestDeadlineMs) this.#earliestDeadlineMs = deadlineAtMs;
    return deadlineAtMs;
  }

  /**
   * Settles tasks. Their room is free at once; they stay held until the store has confirmed, so that nothing is forgotten
   * when it cannot.
   */
  async settle(reports: readonly TagReport[]): Promise<readonly Rejected[]> {
    const rejected: Rejected[] = [];
    const tasks: HeldTask[] = [];
    const settlements: Settlement[] = [];
    const nowMs = Date.now();
    for (const { tag, report } of reports) {
      const task = this.#held.get(tag);
      if (!task || task.settling) {
        // A tag that is neither held nor revoked was settled before: the same outcome twice is success both times.
        if (this.#revoked.has(tag)) rejected.push(this.#tooLate(tag));
        else if (tag > this.#lastTag || tag < 1) rejected.push({ tag, reason: "unknown-tag" });
        continue;
      }
      task.settling = true;
      this.#use.give(task.bytes);
      task.of.queue.inFlight--;
      tasks.push(task);
      const { lease, enqueuedAtMs } = task.of;
      settlements.push({ lease, index: task.index, outcome: this.#outcome(task, report, nowMs), enqueuedAtMs });
    }
    if (tasks.length === 0) return rejected;
    const settled = await this.#settler.settle(settlements);
    for (const [i, task] of tasks.entries()) {
      const answer = settled[i];
      if (answer === "unavailable") {
        this.#takeBack(task);
        rejected.push({ tag: task.tag, reason: "unavailable" });
        continue;
      }
      this.#held.delete(task.tag);
      if (answer !== "stale") continue;
      this.#rememberRevoked(task.tag);
      rejected.push({ tag: task.tag, reason: "stale" });
    }
    return rejected;
  }

  /** The store need not be asked. */
  #tooLate(tag: number): Rejected {
    this.#settler.revokedOutcomes++;
    return { tag, reason: "stale" };
  }

  #takeBack(task: HeldTask): void {
    task.settling = false;
    if (this.#state === "closed") {
      this.#held.delete(task.tag);
      this.#settler.giveBack([
        { lease: task.of.lease, index: task.index, outcome: { kind: "lose", failure: undefined } },
      ]);
      return;
    }
    this.#use.take(task.bytes);
    task.of.queue.inFlight++;
  }

  #outcome(task: HeldTask, report: Report, nowMs: number): Outcome {
    const run = { durationMs: nowMs - task.deliveredAtMs, workerId: this.profile.workerId };
    return report.kind === "fail"
      ? failed(report, run, { attempt: task.of.lease.attempt, options: optionsOf(task) })
      : outcomeOf(report, run);
  }

  /** Gives tasks `ms` more from now on. Tags that are not held are ignored: their Cancel is on its way. */
  extend(tags: readonly number[], ms: number): void {
    const deadlineAtMs = Date.now() + ms;
    for (const tag of tags) {
      const task = this.#held.get(tag);
      if (task) task.deadlineAtMs = deadlineAtMs;
    }
    if (deadlineAtMs < this.#earliestDeadlineMs) this.#earliestDeadlineMs = deadlineAtMs;
  }

  progress(tag: number, progress: Progress): void {
    const task = this.#held.get(tag);
    if (task) task.progress = progress;
  }

  /** Fails what is past its deadline. The room that this frees is given to other tasks once the worker was heard again. */
  failOverdue(nowMs: number): void {
    if (nowMs < this.#earliestDeadlineMs) return;
    this.#earliestDeadlineMs = Number.POSITIVE_INFINITY;
    const overdue: HeldTask[] = [];
    for (const task of this.#held.values()) {
      if (task.settling) continue;
      if (task.deadlineAtMs <= nowMs) overdue.push(task);
      else if (task.deadlineAtMs < this.#earliestDeadlineMs) this.#earliestDeadlineMs = task.deadlineAtMs;
    }
    if (overdue.length === 0) return;
    this.#isInDoubt = true;
    this.#settler.giveBack(overdue.map((task) => this.#revoke(task, this.#timedOut(task, nowMs))));
    const tags = overdue.map(({ tag }) => tag);
    this.#outlet.revoked(tags, "timeout");
  }

  /** A task was cancelled: its lease is void already. One whose outcome is on the way to the store will be answered as stale. */
  cancelled(task: HeldTask): void {
    if (task.settling || !this.#held.has(task.tag)) return;
    this.#takeAway(task);
    this.#outlet.revoked([task.tag], "cancelled");
  }

  #timedOut(task: HeldTask, nowMs: number): Outcome {
    const options = optionsOf(task);
    // An extended task had longer than its timeout.
    const allowedMs = Math.max(options.timeoutMs, task.deadlineAtMs - task.deliveredAtMs);
    const failure = this.#failure(task, "timeout", `timed out after ${durationText(allowedMs)}`, nowMs);
    return { ...judge(options, task.of.lease.attempt, undefined), failure };
  }

  /** A failure that the broker itself has noticed. */
  #failure({ deliveredAtMs }: HeldTask, type: string, message: string, nowMs: number): Failure {
    return { type, message, stack: "", durationMs: nowMs - deliveredAtMs, workerId: this.profile.workerId };
  }

  #revoke(task: HeldTask, outcome: Outcome): Settlement {
    this.#takeAway(task);
    return { lease: task.of.lease, index: task.index, outcome };
  }

  /** A late outcome of it is stale. */
  #takeAway(task: HeldTask): void {
    this.#letGo(task);
    this.#rememberRevoked(task.tag);
  }

  #letGo(task: HeldTask): void {
    this.#held.delete(task.tag);
    this.#use.give(task.bytes);
    task.of.queue.inFlight--;
  }

  #rememberRevoked(tag: number): void {
    this.#revoked.add(tag);
    // Bounded: a worker that lets this many tasks time out gets "settled" for its oldest late outcomes; nothing else changes.
    if (this.#revoked.size > 10_000) for (const oldest of this.#revoked) if (this.#revoked.delete(oldest)) break;
  }

  /** Ends it, giving back what it holds. What is on its way to the store stays with `settle`. */
  close(reason: CloseReason, maxLost: number): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    const left = [...this.#held.values()].filter((task) => !task.settling);
    const settlements = left.map((task) => this.#revoke(task, this.#lost(task, reason, maxLost)));
    // Also of a fenced broker: its leases may be current still, when no other broker was there to give them away.
    if (settlements.length > 0) this.#settler.giveBack(settlements);
  }

  #lost(task: HeldTask, reason: CloseReason, maxLost: number): Outcome {
    if (reason !== "worker-lost") return { kind: "lose", failure: undefined };
    const { lostCount } = task.of;
    const nowMs = Date.now();
    if (lostCount < maxLost) {
      const failure = this.#failure(task, "worker_lost", "the stream of its worker ended", nowMs);
      return { kind: "lose", failure };
    }
    const message = `lost with its worker ${lostCount + 1} times; it may be what kills them`;
    return { kind: "bury", failure: this.#failure(task, "worker_lost", message, nowMs) };
  }

  /** Ends its stream. */
  disconnect(): void {
    this.#outlet.disconnect();
  }

  get held(): Iterable<HeldTask> {
    return this.#held.values();
  }

  /** Lets go of a task that was settled by its token. */
  forget(task: HeldTask): void {
    if (!task.settling && this.#held.has(task.tag)) this.#letGo(task);
  }
}
