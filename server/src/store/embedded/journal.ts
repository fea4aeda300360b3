/**
 * Brings calls to disk. All that came while a commit was under way travels in the next one; there is never more than one,
 * so memory and disk cannot come apart by more than one turn. A call goes through two steps:
 *
 *     prepare   before the commit, in the order of the calls: writes into the turn, and claims in memory what must not be
 *               given twice (a caller's key, a lease that is settled), with an undo for a commit that fails
 *     publish   after it, in the same order: the line, the gauges, the answer
 *
 * A claim or a look-up has nothing to write. It waits in the same row if calls for its queue are under way, so that calls
 * for one queue take effect in the order in which they were made; else it is answered at once.
 *
 * While commits are frequent, settlements wait a moment for the next enqueue or claim and share its commit. Nobody waits
 * for them as one waits for an enqueue, but each commit that they have for themselves makes an enqueue wait.
 */
import { storeFull, storeUnavailable, TaskwireError } from "../../domain/errors.ts";
import type { Logger } from "../../observe/logger.ts";
import { type Database, isDamage } from "./database.ts";
import type { Queue } from "./queue.ts";
import type { Reserve } from "./reserve.ts";
import type { Stamps } from "./stamps.ts";
import { Turn } from "./turn.ts";

export interface Call {
  readonly queue: Queue;
  /** Whether it needs room on disk that it does not give back. */
  readonly grows: boolean;
  /** Whether it may wait for others to share a commit with. */
  readonly canWait: boolean;
  /** Whether it must not see what a later call has prepared: only others like it may follow in its turn. */
  readonly endsTurn?: boolean;
  /** A TaskwireError, thrown before anything is changed, fails this call alone. */
  prepare(turn: Turn): void;
  publish(): void;
  fail(error: unknown): void;
}

/** What one commit takes at most: what is more waits for the next. */
const TURN_BYTES = 16 * 1024 * 1024;
const TURN_WRITES = 50_000;
/** How long calls wait for others at most, and when that is worth it: when so many turns were taken within so long. */
const COMPANY_MS = 2;
const FREQUENT_TURNS = 3;
const FREQUENT_MS = 5;

export interface JournalParts {
  readonly database: Pick<Database, "path" | "commit" | "isFull">;
  readonly stamps: Stamps;
  readonly reserve: Pick<Reserve, "isUsed" | "use">;
  readonly brokerId: string;
  readonly logger: Logger;
  /** Called once, when writing has failed for another reason than lack of room. */
  readonly onBroken: () => void;
}

export class Journal {
  readonly #parts: JournalParts;
  #waiting: Call[] = [];
  #running: Promise<void> | undefined;
  /** When the latest turns were taken; the oldest of them is at `turn % FREQUENT_TURNS`. */
  readonly #turnsAtMs = new Float64Array(FREQUENT_TURNS).fill(Number.NEGATIVE_INFINITY);
  #turn = 0;
  /** Ends the wait for company. */
  #stopWaiting: (() => void) | undefined;
  /** Why nothing is written any more. After a failed write nobody knows what is on disk: opening it again tells. */
  #broken: Error | undefined;

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  submit(call: Call): void {
    if (this.#broken) {
      call.fail(storeUnavailable(this.#broken, "none"));
      return;
    }
    call.queue.calls++;
    this.#waiting.push(call);
    if (!call.canWait) this.#stopWaiting?.();
    this.#running ??= this.#run();
  }

  /** Answers a look-up when it is its turn. `endsTurn`: see `Call`. */
  read<T>(queue: Queue, look: () => T, { endsTurn = false } = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#broken) {
        reject(storeUnavailable(this.#broken, "none"));
      } else if (queue.calls === 0) {
        resolve(this.#look(look));
      } else {
        const publish = () => settle(() => this.#look(look), resolve, reject);
        const prepare = (turn: Turn) => turn.closeBlock(queue);
        this.submit({ queue, grows: false, canWait: false, endsTurn, prepare, publish, fail: reject });
      }
    });
  }

  #look<T>(look: () => T): T {
    try {
      return look();
    } catch (error) {
      if (!isDamage(error)) throw error;
      throw storeUnavailable(this.#break(error), "none");
    }
  }

  /** Resolves when nothing is under way. */
  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#isFrequent && this.#waiting.every(({ canWait }) => canWait)) await this.#waitForCompany();
      // Calls of one tick, and what callers do as soon as they are answered, travel together.
      await new Promise<void>((resolve) => process.nextTick(resolve));
      this.#turnsAtMs[this.#turn++ % FREQUENT_TURNS] = performance.now();
      await this.#takeTurn();
    }
    this.#running = undefined;
  }

  get #isFrequent(): boolean {
    return performance.now() - (this.#turnsAtMs[this.#turn % FREQUENT_TURNS] ?? 0) < FREQUENT_MS;
  }

  async #waitForCompany(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, COMPANY_MS);
      this.#stopWaiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#stopWaiting = undefined;
  }

  async #takeTurn(): Promise<void> {
    const turn = new Turn(Date.now(), this.#parts.stamps);
    const calls: Call[] = [];
    try {
      this.#prepare(turn, calls);
      if (turn.writes.length > 0) await this.#parts.database.commit(turn.writes);
    } catch (error) {
      await this.#recover(turn, calls, error);
      return;
    }
    for (const call of calls) {
      call.queue.calls--;
      call.publish();
    }
  }

  #prepare(turn: Turn, calls: Call[]): void {
    const waiting = this.#waiting;
    let taken = 0;
    let hasEnded = false;
    try {
      while (taken < waiting.length && turn.bytes < TURN_BYTES && turn.writes.length < TURN_WRITES) {
        const call = waiting[taken];
        if (!call || (hasEnded && !call.endsTurn)) break;
        taken++;
        hasEnded = call.endsTurn === true;
        calls.push(call);
        this.#prepareOne(turn, call, calls);
      }
      turn.finish(this.#parts.brokerId);
    } finally {
      this.#waiting = waiting.slice(taken);
    }
  }

  #prepareOne(turn: Turn, call: Call, calls: Call[]): void {
    try {
      if (call.grows && this.#parts.reserve.isUsed) throw storeFull(undefined);
      call.prepare(turn);
    } catch (error) {
      if (!(error instanceof TaskwireError)) throw error;
      calls.pop();
      this.#fail(call, error);
    }
  }

  async #recover(turn: Turn, calls: readonly Call[], error: unknown): Promise<void> {
    if (!(await this.#parts.database.isFull(error, turn.bytes))) {
      const broken = storeUnavailable(this.#break(error), "unknown");
      for (const call of [...calls, ...this.#waiting.splice(0)]) this.#fail(call, broken);
      return;
    }
    turn.undo();
    // What drains the store is tried again without what fills it; then with the reserve.
    const others = calls.filter(({ grows }) => !grows);
    const hasRoom = others.length < calls.length || (await this.#parts.reserve.use());
    for (const call of calls) if (call.grows) this.#fail(call, storeFull(error));
    if (hasRoom) this.#waiting = [...others, ...this.#waiting];
    else for (const call of others) this.#fail(call, storeFull(error));
  }

  #fail(call: Call, error: unknown): void {
    call.queue.calls--;
    call.fail(error);
  }

  #break(error: unknown): Error {
    if (this.#broken) return this.#broken;
    const { database, logger, onBroken } = this.#parts;
    const reason = isDamage(error) ? `${database.path} is damaged: ${messageOf(error)}` : messageOf(error);
    logger.error({ err: error, file: database.path }, "store broken: it must be opened again");
    this.#broken = new Error(reason, { cause: error });
    onBroken();
    return this.#broken;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function settle<T>(make: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): void {
  try {
    resolve(make());
  } catch (error) {
    reject(error);
  }
}
